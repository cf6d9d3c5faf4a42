package pebblelog

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// TestNothingIsVisibleBeforeItIsSynced looks at the log while an append writes,
// before it syncs.
func TestNothingIsVisibleBeforeItIsSynced(t *testing.T) {
	var look atomic.Pointer[func()]
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && strings.HasSuffix(op.Path, ".log") {
			if f := look.Swap(nil); f != nil {
				(*f)()
			}
		}
		return nil
	}))
	l := mustOpen(t, Options{FS: fs})
	defer l.Close()
	batch := one(nave.Durable, "a")
	batch.Events[0].Key, batch.Events[0].Data = "k", []byte("1")
	mustAppend(t, l, batch)

	done := make(chan struct{})
	looked := false
	during := func() {
		looked = true
		if head := l.Head(); head != 1 {
			t.Errorf("head before the sync = %d, want 1", head)
		}
		p, err := l.Read(ctx, 0, nave.Filters{"a"}, eventlog.Limit{})
		if err != nil || len(p.Events) != 1 || p.Next != 1 {
			t.Errorf("page before the sync = %+v, %v, want only the first event", p, err)
		}
		go func() {
			defer close(done)
			checkSnapshot(t, l)
		}()
		for range 1000 { // a chance for it to see too much
			runtime.Gosched()
		}
	}
	look.Store(&during)
	mustAppend(t, l, batch)
	if !looked {
		t.Fatal("the append wrote nothing")
	}
	<-done
}

// checkSnapshot checks that a snapshot holds nothing past its offset.
func checkSnapshot(t *testing.T, l *Log) {
	s, err := l.State(ctx, nave.Filters{"**"})
	if err != nil {
		t.Error(err)
		return
	}
	defer s.Close()
	for e, err := range s.Events() {
		if err != nil || e.Offset > s.Offset() {
			t.Errorf("snapshot at %d has event %d, %v", s.Offset(), e.Offset, err)
		}
	}
}

func TestTrimGoesInSteps(t *testing.T) {
	l := mustOpen(t, Options{Options: eventlog.Options{Durable: eventlog.Retention{Age: time.Hour}}})
	defer l.Close()
	const size, batches = 10, 3 * trimStep / 10
	batch := one(nave.Durable, "a")
	for len(batch.Events) < size {
		batch.Events = append(batch.Events, batch.Events[0])
	}
	for range batches {
		mustAppend(t, l, batch)
	}
	later := batch.Time.Add(2 * time.Hour)
	for before := uint64(0); ; {
		more, err := l.trimDurable(later)
		if err != nil {
			t.Fatal(err)
		}
		gone := l.Oldest(nave.Filters{"a"})
		if gone-before > trimStep+size || gone%size != 0 {
			t.Fatalf("a step took the events from %d to %d, want about %d of them in whole batches", before, gone, trimStep)
		}
		if !more {
			break
		}
		before = gone
	}
	if got := l.Stats().DurableBytes; got != 0 {
		t.Errorf("bytes after the last step = %d, want 0", got)
	}
}

// TestSweepTakesExpiredIDs counts the idempotency keys on disk.
func TestSweepTakesExpiredIDs(t *testing.T) {
	l := mustOpen(t, Options{Options: eventlog.Options{IdempotencyWindow: time.Hour}})
	defer l.Close()
	start := one(nave.Durable, "a").Time
	var group []eventlog.Batch
	for i := range 3 * sweepStep {
		batch := one(nave.Durable, "a")
		batch.Time = start.Add(time.Duration(i%2) * time.Minute)
		batch.Events[0].ID = strings.Repeat("x", 1+i%200) + time.Duration(i).String()
		group = append(group, batch)
	}
	mustAppend(t, l, group...)
	wantIDs := func(want int) {
		t.Helper()
		it, err := l.iterate([]byte{idKeys})
		if err != nil {
			t.Fatal(err)
		}
		defer it.Close()
		n := 0
		for it.First(); it.Valid(); it.Next() {
			n++
		}
		if n != want {
			t.Errorf("ids on disk = %d, want %d", n, want)
		}
	}
	for _, step := range []struct {
		at   time.Duration
		want int
	}{
		{0, len(group)},
		{time.Hour, len(group) / 2},
		{time.Hour + time.Minute, len(group) / 2}, // not again within the hour
		{2 * time.Hour, 0},
	} {
		if err := l.Trim(ctx, start.Add(step.at)); err != nil {
			t.Fatal(err)
		}
		wantIDs(step.want)
	}
}
