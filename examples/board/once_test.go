package main

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"

	"go.uber.org/fx"

	"github.com/navehub/nave"
	"github.com/navehub/nave/examples/board/store"
)

// A process that ends between the hub's yes and the outbox's relays what the hub has
// already. Here all that was relayed goes back into the outbox while the hub is
// down, and the log has it once.
func TestRelayedTwice(t *testing.T) {
	var o options
	url := begin(t, fx.Populate(&o))
	ada := signedIn(t, url, "ada")
	relayAgain := putBack(t, filepath.Join(o.data, "board.sqlite"))
	ada.must(t, http.StatusOK, "POST", "/api/cards/card-1/move", store.Move{To: "done"}, nil)
	ada.must(t, http.StatusCreated, "POST", "/api/conversations/release/messages", store.NewMessage{ID: "m", Text: "Ready"}, nil)
	verify(t, ada, "once")

	ada.must(t, http.StatusNoContent, "POST", "/api/trouble/hub", map[string]float64{"seconds": 0.5}, nil)
	eventually(t, "the hub is down", func() bool {
		status, _ := ada.ask("GET", "/livez", nil, nil)
		return status == http.StatusBadGateway
	})
	relayAgain()
	verify(t, ada, "twice")
}

// The bridge may handle a message again; the hub knows what it makes of it.
func TestBridgedTwice(t *testing.T) {
	var e *embedded
	url := begin(t, fx.Populate(&e))
	sessions := follow(t, signedIn(t, url, "ada"), "sessions/eva")
	b := bridge{e.store, e.running.Load().hub}
	for i, conversation := range []string{"release", "release", "design"} {
		data, err := json.Marshal(store.Message{ID: conversation, Conversation: conversation, Author: "eva", Text: "Ready"})
		if err != nil {
			t.Fatal(err)
		}
		message := nave.Event{Type: "message.posted", Offset: 1_000_000 + uint64(i/2), Data: data}
		if err := b.Handle(t.Context(), message); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"wrote in Release", "wrote in Design"} {
		if e := receive(t, sessions, "session.activity"); string(e.Data) != `{"user":"eva","what":"`+want+`"}` {
			t.Errorf("the activity is %s, and not that she %s", e.Data, want)
		}
	}
}

// putBack has a database remember what leaves the outbox, and returns what puts it
// back there.
func putBack(t *testing.T, file string) func() {
	t.Helper()
	db, err := sql.Open("sqlite", file+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	do := func(text string) int64 {
		t.Helper()
		result, err := db.ExecContext(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	do(`CREATE TABLE relayed (id INTEGER PRIMARY KEY, at, events);
		CREATE TRIGGER relayed AFTER DELETE ON outbox
		BEGIN INSERT OR IGNORE INTO relayed VALUES (old.id, old.at, old.events); END`)
	return func() {
		t.Helper()
		if n := do(`INSERT INTO outbox (id, at, events) SELECT id, at, events FROM relayed`); n < 3 {
			t.Errorf("%d transactions are relayed again", n)
		}
	}
}
