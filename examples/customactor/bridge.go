package main

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
)

const bridgeName = "conversation-bridge"

// conversationBridge tells a user's session what happens in the conversations
// that the user is part of.
var conversationBridge = hub.Extension{
	Name:    bridgeName,
	Filters: nave.Filters{"conversations/**"},
	New:     func(out hub.Publisher) hub.Handler { return bridge{out} },
}

type bridge struct{ out hub.Publisher }

// Handle is called for one event at a time, in order.
func (b bridge) Handle(ctx context.Context, e nave.Event) error {
	var message struct{ To string }
	_ = json.Unmarshal(e.Data, &message) // then it is for nobody
	topic, err := nave.ParseTopic("session/" + message.To)
	if err != nil {
		return nil // an error would make the hub try the same event again
	}
	_, err = b.out.Publish(ctx, nave.Event{
		Topic:  topic,
		Type:   "conversation.changed",
		Key:    string(e.Topic),
		Data:   e.Data,
		ID:     strconv.FormatUint(e.Offset, 10), // once, however often it is handled
		Source: bridgeName,
	})
	return err
}
