package main

import (
	"encoding/json"
	"testing"

	"github.com/navehub/nave"
	"github.com/navehub/nave/examples/board/store"
)

// A message that is handled again makes the same activity again, which the hub knows.
func TestBridgeOnce(t *testing.T) {
	s := newStore(t)
	data, err := json.Marshal(store.Message{ID: "m", Conversation: "design", Author: "eva", Text: "Ready"})
	if err != nil {
		t.Fatal(err)
	}
	var said []nave.Event
	b := bridge{s, publisher(func(events []nave.Event) error {
		said = append(said, events...)
		return nil
	})}
	for _, offset := range []uint64{7, 7, 8} {
		if err := b.Handle(t.Context(), nave.Event{Type: "message.posted", Offset: offset, Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	if len(said) != 3 || said[0].ID == "" || said[0].ID != said[1].ID || said[0].ID == said[2].ID || said[0].Source != said[1].Source {
		t.Errorf("said is %v", said)
	}
}

// What sessions say is gone with the hub's memory; what the board has is not.
func TestRules(t *testing.T) {
	for topic, want := range map[nave.Topic]nave.Durability{
		"sessions/ada": nave.Memory, relayTopic: nave.Memory, "analytics/ada": nave.Transient,
		"cards/main": nave.Durable, "conversations/design": nave.Durable, "users/all": nave.Durable,
	} {
		for _, rule := range rules {
			if rule.Filter.Match(topic) {
				if rule.Durability != want {
					t.Errorf("%s is %v, want %v", topic, rule.Durability, want)
				}
				break // the first that fits holds
			}
		}
	}
}
