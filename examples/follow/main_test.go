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

	"github.com/navehub/nave/spoke"
	"github.com/navehub/nave/wiring"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What is moved is followed, and where that stood is remembered; who comes too late is
// told what there is now.
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
	file := filepath.Join(t.TempDir(), "cursor")
	ended := make(chan error)
	go func() { ended <- follow(ctx, hub, file) }() // ends with ctx
	for version := uint64(0); version < 2; version++ {
		if err := move(ctx, hub, "card-42", version, "done"); err != nil {
			t.Fatal(err)
		}
	}
	if err := move(ctx, hub, "card-42", 1, "late"); err == nil || !strings.Contains(err.Error(), `somebody was faster: card-42 is now {"column":"done"}`) {
		t.Errorf("the late one: %v", err)
	}
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		if saved, _ := os.ReadFile(file); strings.HasSuffix(string(saved), "-2") {
			break
		}
		if time.Since(begun) > 5*time.Second {
			t.Fatal("where it stood is not remembered")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
