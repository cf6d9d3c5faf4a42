package pebblelog

import (
	"errors"
	"runtime"
	"testing"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// TestCloseWaits closes a log while a snapshot is being read.
func TestCloseWaits(t *testing.T) {
	l := mustOpen(t, Options{})
	batch := one(nave.Durable, "a")
	for _, key := range []string{"1", "2", "3"} {
		batch.Events[0].Key, batch.Events[0].Data = key, []byte("1")
		mustAppend(t, l, batch)
	}
	s, err := l.State(ctx, nave.Filters{"**"})
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	keys := 0
	for _, err := range s.Events() {
		if err != nil {
			t.Fatal(err)
		}
		if keys++; keys > 1 {
			continue
		}
		go func() { closed <- l.Close() }()
		for {
			if _, err := l.Read(ctx, 0, nave.Filters{"a"}, eventlog.Limit{}); errors.Is(err, eventlog.ErrClosed) {
				break
			}
			runtime.Gosched()
		}
		for range 1000 { // a chance for it not to wait
			runtime.Gosched()
		}
	}
	if keys != 3 {
		t.Errorf("keys = %d, want 3", keys)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	for _, err := range s.Events() {
		if !errors.Is(err, eventlog.ErrClosed) {
			t.Errorf("a snapshot of a closed log yields error %v, want %v", err, eventlog.ErrClosed)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
