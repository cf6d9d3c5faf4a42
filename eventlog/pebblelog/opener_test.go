package pebblelog

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

func session(id, data string) eventlog.Batch {
	return eventlog.Batch{Durability: nave.Memory, Time: time.Now(), Events: []nave.Event{
		{Topic: "session/1", Type: "t", Key: "k", ID: id, Source: "s", Data: []byte(data)},
	}}
}

// data is that of all events after the offset.
func data(t *testing.T, l eventlog.Log, after uint64) (all []string) {
	t.Helper()
	p, err := l.Read(ctx, after, nave.Filters{"**"}, eventlog.Limit{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range p.Events {
		all = append(all, string(e.Data))
	}
	return all
}

// latestData is that of every key.
func latestData(t *testing.T, l eventlog.Log) (all []string) {
	t.Helper()
	s, err := l.State(ctx, nave.Filters{"**"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for e, err := range s.Events() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(e.Data))
	}
	return all
}

// breakable is a disk whose syncs fail, once the data is written, while broken.
func breakable() (disk vfs.FS, broken *atomic.Bool) {
	broken = new(atomic.Bool)
	return errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if broken.Load() && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo) {
			return errorfs.ErrInjected
		}
		return nil
	})), broken
}

func reopened(t *testing.T, open eventlog.Opener, before eventlog.Log) eventlog.Log {
	t.Helper()
	if before != nil {
		if err := before.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l, err := open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestMemoryOutlivesABrokenLog breaks the log by a failed sync: who opens it
// again has its memory events, as if nothing had been, and a new process has not
// and says so.
func TestMemoryOutlivesABrokenLog(t *testing.T) {
	disk, broken := breakable()
	o := Options{FS: disk, Logger: quiet}
	open := Opener(place, o)
	l := reopened(t, open, nil)
	if out, err := l.Append(ctx, []eventlog.Batch{session("1", "1"), one(nave.Durable, "cards/1")}); err != nil || out[0].First != 1 {
		t.Fatalf("append = %+v, %v", out, err)
	}
	broken.Store(true)
	superseding := session("2", "2")
	superseding.Durability = nave.Durable
	if _, err := l.Append(ctx, []eventlog.Batch{superseding}); !errors.Is(err, eventlog.ErrBroken) {
		t.Fatalf("append = %v, want %v", err, eventlog.ErrBroken)
	}
	broken.Store(false)
	l = reopened(t, open, l)
	got := data(t, l, 0)
	if len(got) < 2 || got[0] != "1" {
		t.Fatalf("events = %q, want the memory event and the durable one", got)
	}
	stored := slices.Contains(got, "2") // nobody could know
	if want := map[bool]string{true: "2", false: "1"}[stored]; !slices.Contains(latestData(t, l), want) {
		t.Errorf("state = %q, want it to have %q", latestData(t, l), want)
	}
	again, err := l.Append(ctx, []eventlog.Batch{session("1", "1"), session("3", "3")})
	if err != nil || !again[0].Repeat || again[0].First != 1 || again[1].Repeat {
		t.Errorf("append = %+v, %v, want a repeat of 1 and a new one", again, err)
	}
	head := l.Head()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	other, err := Open(ctx, place, o)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if got := other.Oldest(nave.Filters{"session/*"}); got < head {
		t.Errorf("in a new process the oldest of session/* is %d, want at least %d", got, head)
	}
}
