package hub

import (
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/eventlog/pebblelog"
)

// What an operator does is told with a reason, also one that is only another reason, and
// a level that does not exist is refused.
func TestPinsAreExplained(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, _ := pressed(t, Config{})
		s := connectTo(t, h, "", "cards/*")
		synctest.Wait()
		for _, pin := range []*Pin{
			{Level: nave.LevelShed, Reason: "a"}, {Level: nave.LevelShed, Reason: "b"}, {Level: nave.LevelShed, Reason: "b"},
			{Level: nave.LevelShed}, nil,
		} {
			if err := h.Pin(t.Context(), pin); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		time.Sleep(2 * time.Second) // looks, which change nothing
		synctest.Wait()
		var told []string
		for _, l := range s.levels(t) {
			told = append(told, string(l.Level)+" "+l.Reason)
		}
		want := []string{"shed a", "shed b", "shed an operator holds it", "normal the pin is lifted"}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		if err := h.Pin(t.Context(), &Pin{Level: "lofty"}); nave.CodeOf(err) != nave.CodeInvalid {
			t.Errorf("a level that does not exist: %v", err)
		}
	})
}

// Polls that wait since there are no streams are answered soon after there are again, but
// not all at once; others are left alone.
func TestWaitingPollsHearThatStreamsAreBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, _ := pressed(t, Config{})
		begun := time.Now()
		poll := func(took chan<- time.Duration) {
			page, err := h.Poll(t.Context(), client.Request{Filters: nave.Filters{"cards/*"}, Cursor: cursorAt(h, h.Head())}, 25*time.Second)
			if err != nil || page.Level != nave.LevelNormal {
				t.Errorf("level %s, %v", page.Level, err)
			}
			took <- time.Since(begun)
		}
		const polls = 20
		others, waiting := make(chan time.Duration, 1), make(chan time.Duration, polls)
		go poll(others) // ends with its time
		synctest.Wait()
		if err := h.Pin(t.Context(), &Pin{Level: nave.LevelPolling}); err != nil {
			t.Fatal(err)
		}
		for range polls {
			go poll(waiting) // ends when it is answered
		}
		synctest.Wait()
		if err := h.Pin(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		first, last := streamsBackWithin, time.Duration(0)
		for range polls {
			took := <-waiting
			first, last = min(first, took), max(last, took)
		}
		if last > streamsBackWithin || last-first < streamsBackWithin/4 {
			t.Errorf("answered after %v to %v", first, last)
		}
		if took := <-others; took < 25*time.Second {
			t.Errorf("who waited before is answered after %v", took)
		}
	})
}

// Every pin holds over a restart, and what is lifted is gone.
func TestPinsOutliveARestart(t *testing.T) {
	dir := t.TempDir()
	for _, step := range []struct {
		pin         *Pin
		found, then nave.Level
	}{
		{&Pin{Level: nave.LevelConserve}, nave.LevelNormal, nave.LevelConserve},
		{&Pin{Level: nave.LevelOff}, nave.LevelConserve, nave.LevelOff},
		{nil, nave.LevelOff, nave.LevelNormal},
		{nil, nave.LevelNormal, nave.LevelNormal},
	} {
		h := New(Config{Logger: slog.New(slog.DiscardHandler)}, pebblelog.Opener(dir, pebblelog.Options{Logger: slog.New(slog.DiscardHandler)}))
		if err := h.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := h.Level(); got != step.found {
			t.Errorf("it starts at %s, want %s", got, step.found)
		}
		if err := h.Pin(t.Context(), step.pin); err != nil || h.Level() != step.then {
			t.Errorf("pinned %+v: %s, %v", step.pin, h.Level(), err)
		}
		if err := h.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
