package pebblelog

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// A small disk says how much it has free.
type smallDisk struct {
	vfs.FS
	free *atomic.Uint64
}

func (d smallDisk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: d.free.Load()}, nil
}

func (d smallDisk) Unwrap() vfs.FS { return d.FS }

// TestFullDisk takes the room away and gives it back.
func TestFullDisk(t *testing.T) {
	disk := smallDisk{vfs.NewMem(), new(atomic.Uint64)}
	disk.free.Store(100 << 20)
	l := mustOpen(t, Options{FS: disk, MinFree: 80 << 20, Options: eventlog.Options{
		Durable: eventlog.Retention{Age: time.Minute}, Memory: eventlog.Retention{Age: time.Minute},
	}})
	defer l.Close()
	mustAppend(t, l, one(nave.Durable, "cards/1"), one(nave.Memory, "session/1"))

	disk.free.Store(79 << 20)
	time.Sleep(lookEvery)
	out := mustAppend(t, l, one(nave.Durable, "cards/1"), one(nave.Memory, "session/1"), one(nave.Memory, "other/1"))
	wantRefusal(t, out[0].Err)
	if out[1].First != 3 || out[2].First != 4 {
		t.Errorf("memory events got %+v, want 3 and 4", out[1:])
	}
	if err := l.Ready(); err == nil || !strings.Contains(err.Error(), "var/lib/log has 79.0 MiB free, less than the 90.0 MiB") {
		t.Errorf("Ready = %v", err)
	}
	if got := len(data(t, l, 0)); got != 4 {
		t.Errorf("a reader sees %d events, want 4", got)
	}

	disk.free.Store(0) // nothing can be written at all
	out = mustAppend(t, l, one(nave.Memory, "session/1"), one(nave.Memory, "third/1"))
	if out[0].First != 5 {
		t.Errorf("a memory event got %+v, want 5", out[0])
	}
	wantRefusal(t, out[1].Err) // its first segment has no mark
	if err := l.Trim(ctx, time.Unix(2_000_000_000, 0)); err != nil || l.Stats().MemoryBytes != 0 || l.Stats().DurableBytes == 0 {
		t.Errorf("trim = %v, and left %+v, want memory events gone and durable ones kept", err, l.Stats())
	}

	disk.free.Store(81 << 20)
	if err := l.Ready(); err == nil {
		t.Error("it is ready again with hardly more room than before")
	}
	disk.free.Store(91 << 20)
	if err := l.Ready(); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if out = mustAppend(t, l, one(nave.Durable, "cards/1"), one(nave.Memory, "third/1")); out[0].First != 6 || out[1].First != 7 {
		t.Errorf("with room again: %+v", out)
	}
}

func wantRefusal(t *testing.T, err error) {
	t.Helper()
	if nave.CodeOf(err) != nave.CodeUnavailable || !strings.Contains(err.Error(), "nearly full") {
		t.Errorf("error = %v, want unavailable, and why", err)
	}
}

// TestMemoryWithoutReservation lets the memory events of a full disk use up their
// offsets.
func TestMemoryWithoutReservation(t *testing.T) {
	disk := smallDisk{vfs.NewMem(), new(atomic.Uint64)}
	disk.free.Store(100)
	l := mustOpen(t, Options{FS: disk, MinFree: 80})
	defer l.Close()
	mustAppend(t, l, one(nave.Memory, "session/1"))
	disk.free.Store(1)
	batch := one(nave.Memory, "session/1")
	for len(batch.Events) < 1000 {
		batch.Events = append(batch.Events, batch.Events[0])
	}
	stored := 0
	for range 100 {
		out := mustAppend(t, l, batch)
		if out[0].Err != nil {
			wantRefusal(t, out[0].Err)
			break
		}
		stored += 1000
	}
	if stored != reserveBlock/1000*1000 {
		t.Errorf("%d events were stored, want all that fit into %d reserved offsets", stored, reserveBlock)
	}
	disk.free.Store(100)
	if out := mustAppend(t, l, batch); out[0].Err != nil {
		t.Errorf("with room again: %v", out[0].Err)
	}
}
