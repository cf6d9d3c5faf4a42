package main

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave/sse"
)

// show prints what a stream says; the test says where.
func show(to subscriber, stream string) {
	s := subscription{to: to}
	r := sse.NewReader(strings.NewReader(stream))
	for {
		e, err := r.Next()
		if err != nil {
			to.lost(&unreachableError{"http://hub", errEnded}, 1234*time.Millisecond)
			return
		}
		if err := s.receive(e); err != nil {
			panic(err) // of a strings.Builder
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
	show(plain, string(stream))
	golden(t, "stream.txt", text.String())

	text.Reset()
	coloured := newPrinter(&text, &text, time.UTC)
	coloured.outPalette, coloured.notesPalette = true, true
	show(coloured, string(stream))
	golden(t, "stream.ansi", text.String())

	text.Reset()
	show(jsonPrinter{newPrinter(&text, &notes, time.UTC)}, string(stream))
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
	p.lost(&unreachableError{"http://hub", errors.New("connection refused")}, 1500*time.Millisecond)
	if got, want := notes.String(), "· reconnecting in 1.5s: connection refused\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
