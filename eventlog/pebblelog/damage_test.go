package pebblelog

import (
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/internal/admit"
)

func keyedIn(topic nave.Topic) eventlog.Batch {
	b := one(nave.Durable, topic)
	b.Events[0].Key, b.Events[0].Data = "k", []byte("1")
	b.Events[0].IfVersion = new(uint64)
	return b
}

// TestDamagedEvent damages one event. Who needs it is told; others go on.
func TestDamagedEvent(t *testing.T) {
	l := mustOpen(t, Options{})
	defer l.Close()
	mustAppend(t, l, keyedIn("bad"), keyedIn("good"))
	if err := l.db.Set(appendEventKey(nil, 1), []byte{encoding, 1}, nil); err != nil {
		t.Fatal(err)
	}
	for _, f := range []nave.Filter{"bad", "**"} {
		_, err := l.Read(ctx, 0, nave.Filters{f}, eventlog.Limit{})
		var reset *nave.ResetError
		if !errors.As(err, &reset) || reset.Reason != nave.ResetDamaged {
			t.Errorf("read %s = %v, want it to say damaged", f, err)
		}
	}
	if err := l.Ready(); err == nil || !strings.Contains(err.Error(), errCorrupt.Error()) || !strings.Contains(err.Error(), place) {
		t.Errorf("Ready = %v, want it to say that in %s %q", err, place, errCorrupt)
	}
	if p, err := l.Read(ctx, 0, nave.Filters{"good"}, eventlog.Limit{}); err != nil || len(p.Events) != 1 {
		t.Errorf("read good = %d events, %v, want 1", len(p.Events), err)
	}
	if p, err := l.Read(ctx, 1, nave.Filters{"**"}, eventlog.Limit{}); err != nil || len(p.Events) != 1 {
		t.Errorf("read after the damage = %d events, %v, want 1", len(p.Events), err)
	}
}

// TestDamagedKey damages what a condition is checked against: that publish is
// refused, and not those that are committed with it.
func TestDamagedKey(t *testing.T) {
	l := mustOpen(t, Options{})
	defer l.Close()
	mustAppend(t, l, keyedIn("bad"))
	if err := l.db.Set(appendLatestKey(nil, admit.Key{Topic: "bad", Key: "k"}), nil, nil); err != nil {
		t.Fatal(err)
	}
	out := mustAppend(t, l, keyedIn("good"), keyedIn("bad"), keyedIn("other"))
	if out[0].First != 2 || out[2].First != 3 {
		t.Errorf("the others got %+v, want 2 and 3", out)
	}
	if err := out[1].Err; nave.CodeOf(err) != nave.CodeUnavailable || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("the publish with the damaged key got %v", err)
	}
}

// TestUnreadableSector lets reads of tables fail, as a disk does that has gone bad.
func TestUnreadableSector(t *testing.T) {
	var bad atomic.Bool
	disk := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if bad.Load() && op.Kind == errorfs.OpFileReadAt && strings.HasSuffix(op.Path, ".sst") {
			return &os.PathError{Op: "read", Path: op.Path, Err: syscall.EIO}
		}
		return nil
	}))
	l := mustOpen(t, Options{FS: disk})
	for range 100 { // some blocks, of which an open reads the first and the last
		b := keyedIn(nave.Topic(rand.Text()))
		b.Events[0].Data = []byte(`"` + strings.Repeat(rand.Text(), 100) + `"`)
		mustAppend(t, l, b)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, Options{FS: disk, Options: eventlog.Options{Memory: eventlog.Retention{Age: time.Minute}}})
	defer l.Close()
	bad.Store(true)
	_, err := l.Read(ctx, 0, nave.Filters{"**"}, eventlog.Limit{})
	var reset *nave.ResetError
	if !errors.As(err, &reset) || reset.Reason != nave.ResetDamaged {
		t.Errorf("read = %v, want it to say damaged", err)
	}
	if err := l.Ready(); err == nil || errors.Is(err, eventlog.ErrBroken) {
		t.Errorf("Ready = %v, want damaged and not broken", err)
	}
	out := mustAppend(t, l, one(nave.Memory, "session/1"))
	if out[0].Err != nil {
		t.Errorf("a memory event that needs nothing from the disk got %v", out[0].Err)
	}
	_ = l.Trim(ctx, time.Unix(2_000_000_000, 0))
	if n := l.Stats().MemoryBytes; n != 0 {
		t.Errorf("retention left %d bytes of memory events, since it cannot read the durable ones", n)
	}
}
