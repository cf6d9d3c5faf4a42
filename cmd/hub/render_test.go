package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/spoke"
)

// show prints what a stream says, and that it ended.
func show(t *testing.T, p *printer, events func([]spoke.Event, string) error, stream string) {
	t.Helper()
	newServer(t, func(w http.ResponseWriter, r *http.Request) { write(w, r, stream, false) })
	hub, err := connect("", "")
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	config := spoke.SubscribeConfig{Filters: nave.Filters{"a"}, OnNotice: p.notice, OnStatus: func(s spoke.Status) {
		if s.State == spoke.Waiting {
			p.status(spoke.Status{State: s.State, Cause: s.Cause, Wait: 1234 * time.Millisecond})
			cancel()
		}
	}}
	for batch, err := range hub.Subscribe(config).Batches(ctx) {
		var reset *nave.ResetError
		if err != nil && !errors.As(err, &reset) {
			t.Fatal(err)
		}
		if err := events(batch.Events, batch.Cursor); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRender(t *testing.T) {
	stream, err := os.ReadFile("testdata/stream.sse")
	if err != nil {
		t.Fatal(err)
	}
	var text, notes strings.Builder
	plain := newPrinter(&text, &text, time.UTC)
	show(t, plain, plain.events, string(stream))
	golden(t, "stream.txt", text.String())

	text.Reset()
	coloured := newPrinter(&text, &text, time.UTC)
	coloured.outPalette, coloured.notesPalette = true, true
	show(t, coloured, coloured.events, string(stream))
	golden(t, "stream.ansi", text.String())

	text.Reset()
	forPrograms := newPrinter(&text, &notes, time.UTC)
	show(t, forPrograms, jsonPrinter{forPrograms}.events, string(stream))
	golden(t, "stream.ndjson", text.String())
	for line := range strings.Lines(text.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

// What a publisher sends must not steer the terminal of who looks at it.
func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":"ü€"}`:           `{"a":"ü€"}`,
		"{\"a\":\"\u009b2J\"}": `{"a":"\u009b2J"}`,
		"\x1b]0;title\x07\x7f": `\u001b]0;title\u0007\u007f`,
	} {
		if got := harmless(text); got != want {
			t.Errorf("harmless(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestPaletteIsForTerminals(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if paletteFor(file) {
		t.Error("a file gets colours")
	}
}

func TestLostSaysWhyInFewWords(t *testing.T) {
	var notes strings.Builder
	p := printer{notes: &notes}
	p.status(spoke.Status{
		State: spoke.Waiting, Wait: 1500 * time.Millisecond,
		Cause: &spoke.UnreachableError{Address: "http://hub", Err: errors.New("connection refused")},
	})
	if got, want := notes.String(), "· reconnecting in 1.5s: connection refused\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
