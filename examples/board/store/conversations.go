package store

import (
	"context"
	"errors"
	"slices"
	"time"
)

// A Conversation is a list of messages.
type Conversation struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	LastMessage *Message `json:"lastMessage"` // nil: there is none
	Rev         int64    `json:"rev"`
}

// A Message is never changed.
type Message struct {
	ID           string    `json:"id"`
	Conversation string    `json:"conversation"`
	Author       string    `json:"author"`
	Text         string    `json:"text"`
	At           time.Time `json:"at"`
}

// A NewMessage is to be posted. Who posts it chooses its id, and may send it again.
type NewMessage struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// latest is how many messages of a conversation are shown.
const latest = 100

const (
	selectConversation = `SELECT id, title, rev FROM conversations`
	selectMessage      = `SELECT id, conversation, author, text, at FROM messages`
	newestFirst        = ` WHERE conversation = ? ORDER BY seq DESC LIMIT ?`
)

func scanConversation(r row) (c Conversation, err error) {
	err = r.Scan(&c.ID, &c.Title, &c.Rev)
	return c, err
}

func scanMessage(r row) (m Message, err error) {
	var at int64
	err = r.Scan(&m.ID, &m.Conversation, &m.Author, &m.Text, &at)
	m.At = time.UnixMilli(at).UTC()
	return m, err
}

// Conversations are all of them.
func (s *Store) Conversations(ctx context.Context) (found []Conversation, err error) {
	err = s.look(ctx, func(q querier) (err error) {
		found, err = readConversations(ctx, q)
		return err
	})
	return found, err
}

func readConversations(ctx context.Context, q querier) ([]Conversation, error) {
	found, err := all(ctx, q, scanConversation, selectConversation+` ORDER BY id`)
	if err != nil {
		return nil, err
	}
	for i := range found {
		last, err := all(ctx, q, scanMessage, selectMessage+newestFirst, found[i].ID, 1)
		if err != nil {
			return nil, err
		}
		if len(last) > 0 {
			found[i].LastMessage = &last[0]
		}
	}
	return found, nil
}

// ConversationTitle is what a conversation is called.
func (s *Store) ConversationTitle(ctx context.Context, id string) (string, error) {
	c, err := scanConversation(s.read.QueryRowContext(ctx, selectConversation+` WHERE id = ?`, id))
	if isNone(err) {
		return "", ErrNotFound
	}
	return c.Title, err
}

// Messages are the latest of a conversation, oldest first.
func (s *Store) Messages(ctx context.Context, conversation string) ([]Message, error) {
	if _, err := s.ConversationTitle(ctx, conversation); err != nil {
		return nil, err
	}
	found, err := all(ctx, s.read, scanMessage, selectMessage+newestFirst, conversation, latest)
	slices.Reverse(found)
	return found, err
}

// PostMessage adds a message. One that is there already, by the same user and of the
// same words, is returned as it is, and made is false.
func (s *Store) PostMessage(ctx context.Context, by, conversation string, n NewMessage) (m Message, made bool, err error) {
	if err := errors.Join(checkID(n.ID), checkText("text", n.Text, maxMessage)); err != nil {
		return Message{}, false, err
	}
	err = s.change(ctx, func(t *tx) (err error) {
		m, err = scanMessage(t.get(selectMessage+` WHERE id = ?`, n.ID))
		switch {
		case err == nil && (m.Author != by || m.Conversation != conversation || m.Text != n.Text):
			return invalid("id: %s is another message's", n.ID)
		case !isNone(err):
			return err
		}
		c, err := scanConversation(t.get(selectConversation+` WHERE id = ?`, conversation))
		if isNone(err) {
			return ErrNotFound
		} else if err != nil {
			return err
		}
		m, made = Message{ID: n.ID, Conversation: conversation, Author: by, Text: n.Text, At: t.now}, true
		return t.post(m, c)
	})
	return m, made, err
}

// post is one transaction, and so one batch: the message, and the conversation.
func (t *tx) post(m Message, c Conversation) error {
	c.Rev, c.LastMessage = c.Rev+1, &m
	err := t.do(`INSERT INTO messages (id, conversation, author, text, at) VALUES (?, ?, ?, ?, ?)`,
		m.ID, m.Conversation, m.Author, m.Text, m.At.UnixMilli())
	if err != nil {
		return err
	}
	if err := t.do(`UPDATE conversations SET rev = ? WHERE id = ?`, c.Rev, c.ID); err != nil {
		return err
	}
	if err := t.announce("conversations/"+c.ID, "message.posted", m.ID, m); err != nil {
		return err
	}
	return t.announce("conversations/all", "conversation.changed", c.ID, c)
}
