package main

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/examples/board/store"
)

const bridgeName = "conversation-bridge"

// bridgeTo makes of what somebody writes in a conversation an activity of that
// person's session.
func bridgeTo(s *store.Store) hub.Extension {
	return hub.Extension{
		Name:    bridgeName,
		Filters: nave.Filters{"conversations/*"},
		New:     func(out hub.Publisher) hub.Handler { return bridge{s, out} },
	}
}

type bridge struct {
	store *store.Store
	out   hub.Publisher
}

// Handle is called for one event at a time. Its own has an id made of the offset, so
// that it is there once, however often this one is handled.
func (b bridge) Handle(ctx context.Context, e nave.Event) error {
	if e.Type != "message.posted" {
		return nil
	}
	var message store.Message
	if err := json.Unmarshal(e.Data, &message); err != nil {
		return nil // it will never be a message
	}
	title, err := b.store.ConversationTitle(ctx, message.Conversation)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return nave.Errorf(nave.CodeUnavailable, "read the conversation's title: %w", err)
	}
	data, err := json.Marshal(map[string]string{"user": message.Author, "what": "wrote in " + title})
	if err != nil {
		return err
	}
	_, err = b.out.Publish(ctx, nave.Event{
		Topic:  nave.Topic("sessions/" + message.Author),
		Type:   "session.activity",
		Key:    "activity",
		Data:   data,
		ID:     strconv.FormatUint(e.Offset, 10),
		Source: bridgeName,
	})
	return err
}
