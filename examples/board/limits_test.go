package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/pebblelog"
	"github.com/navehub/nave/examples/board/store"
)

// What a page says is bounded, and it is told by what.
func TestLimits(t *testing.T) {
	p := signedIn(t, begin(t), "ada")
	session := func(bytes int) rawJSON {
		return rawJSON(`{"session":"` + strings.Repeat("s", bytes) + `","state":"active"}`)
	}
	clicks := func(n int) rawJSON {
		return rawJSON("[" + strings.TrimSuffix(strings.Repeat(`{"name":"seen"},`, n), ",") + "]")
	}
	name := func(bytes int) rawJSON { return rawJSON(`[{"name":"` + strings.Repeat("n", bytes) + `"}]`) }
	for _, c := range []struct {
		path string
		body any
		want string // "" if it is taken
	}{
		{"/api/sessions/heartbeat", session(64), ""},
		{"/api/sessions/heartbeat", session(65), "1 to 64 bytes"},
		{"/api/sessions/heartbeat", session(0), "1 to 64 bytes"},
		{"/api/analytics", clicks(100), ""},
		{"/api/analytics", clicks(101), "100 at a time"},
		{"/api/analytics", name(255), ""},
		{"/api/analytics", name(256), "1 to 255 bytes"},
		{"/api/trouble/slow", map[string]int{"ms": 5001}, "0 to 5000"},
		{"/api/trouble/slow", map[string]int{"ms": -1}, "0 to 5000"},
		{"/api/trouble/hub", map[string]float64{"seconds": 60.1}, "0 to 60"},
		{"/api/trouble/hub", map[string]float64{"seconds": -1}, "0 to 60"},
		{"/api/trouble/hub", map[string]float64{"seconds": 60}, ""}, // the last: it is down then
	} {
		want := http.StatusNoContent
		if c.want != "" {
			want = http.StatusUnprocessableEntity
		}
		if text := p.must(t, want, "POST", c.path, c.body, nil); !strings.Contains(text, c.want) {
			t.Errorf("%s %.60v is refused with %s", c.path, c.body, text)
		}
	}
}

// Who is refused for a while is told for how long.
func TestFull(t *testing.T) {
	w := httptest.NewRecorder()
	refuse(w, fmt.Errorf("change: %w", store.ErrFull))
	if after := w.Header().Get("Retry-After"); w.Code != http.StatusServiceUnavailable || after != "5" {
		t.Errorf("a full outbox is answered %d, to be tried again after %q", w.Code, after)
	}
}

// Somebody who clicks without end is told to go slower.
func TestClicksAreLimited(t *testing.T) {
	var e *embedded
	begin(t, fx.Populate(&e))
	click := nave.Event{Topic: "analytics/ada", Type: "button.clicked"}
	clicks := make([]nave.Event, 100)
	for i := range clicks {
		clicks[i] = click
	}
	now := e.running.Load().hub
	if _, err := now.Publish(t.Context(), clicks...); err != nil {
		t.Errorf("a hundred: %v", err)
	}
	if _, err := now.Publish(t.Context(), clicks...); nave.CodeOf(err) != nave.CodeBusy {
		t.Errorf("a hundred more at once: %v", err)
	}
}

// For a week the hub knows what the relay has published.
func TestKnownForAWeek(t *testing.T) {
	var o options
	var e *embedded
	begin(t, fx.Populate(&o, &e))
	event := nave.Event{Topic: "cards/main", Type: "tried", ID: "1", Source: "board"}
	published := time.Now()
	if _, err := e.running.Load().hub.Publish(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	if err := e.kill(time.Minute); err != nil {
		t.Fatal(err)
	}
	var log *pebblelog.Log
	eventually(t, "the log is closed", func() (so bool) {
		var err error
		log, err = pebblelog.Open(t.Context(), filepath.Join(o.data, "hub"), pebblelog.Options{})
		return err == nil
	})
	defer log.Close()
	for _, c := range []struct {
		after time.Duration
		known bool
	}{{7*24*time.Hour - time.Minute, true}, {7*24*time.Hour + time.Minute, false}} {
		done, err := log.Append(t.Context(), []eventlog.Batch{{
			Events: []nave.Event{event}, Durability: nave.Durable, Time: published.Add(c.after),
		}})
		if err != nil {
			t.Fatal(err)
		}
		if done[0].Repeat != c.known {
			t.Errorf("after %v it is known: %t, want %t", c.after, done[0].Repeat, c.known)
		}
	}
}
