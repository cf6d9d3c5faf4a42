package hub

import (
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
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
