package main

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"

	"github.com/navehub/nave"
	"github.com/navehub/nave/spoke"
	"github.com/navehub/nave/wiring"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A card that is approved is moved, and where that stood is remembered; who comes too late
// is told what there is now.
func TestFollowAndMove(t *testing.T) {
	var handler wiring.Handler
	app := fxtest.New(t, wiring.Core, wiring.MemoryLog(), wiring.OpenToAll, fx.Populate(&handler))
	app.RequireStart()
	server := httptest.NewServer(handler)
	defer func() {
		app.RequireStop() // which ends the streams
		server.Close()
	}()
	hub, err := spoke.New(spoke.Config{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	publish := func(kind string) spoke.Published {
		t.Helper()
		p, err := hub.Publish(ctx, nave.Event{Topic: "cards/board-1", Type: kind, Key: "card-42"})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}

	file := filepath.Join(t.TempDir(), "cursor")
	if err := os.WriteFile(file, []byte(publish("card.created").Cursor), 0o600); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- follow(ctx, hub, file) }() // ends with ctx
	approved := publish("card.approved").Events[0]
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		if saved, _ := os.ReadFile(file); strings.HasSuffix(string(saved), "-3") { // it follows its own move too
			break
		}
		if time.Since(begun) > 5*time.Second {
			t.Fatal("the card is not moved, or where that stood is not remembered")
		}
	}
	late := spoke.Event{Event: nave.Event{Topic: "cards/board-1", Key: "card-42", Offset: approved.Offset}}
	if err := move(ctx, hub, late, "late"); err == nil || !strings.Contains(err.Error(), `somebody was faster: card-42 is now {"column":"done"}`) {
		t.Errorf("the late one: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
