package pebblelog

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

var (
	crashSeed  = flag.Uint64("crash.seed", 0, "run only this seed of the crash tests")
	crashSeeds = flag.Uint64("crash.seeds", 20, "run this many seeds of the crash tests")
)

func eachSeed(t *testing.T, test func(t *testing.T, seed uint64)) {
	first, last := uint64(1), *crashSeeds
	if *crashSeed > 0 {
		first, last = *crashSeed, *crashSeed
	}
	for seed := first; seed <= last; seed++ {
		t.Run(fmt.Sprintf("crash.seed=%d", seed), func(t *testing.T) { test(t, seed) })
	}
}

// TestPowerCut cuts the power at some write and loses any part of what was not
// synced, several times over.
func TestPowerCut(t *testing.T) {
	eachSeed(t, func(t *testing.T, seed uint64) {
		w := newWitness(t, seed)
		disk := vfs.NewCrashableMem()
		for range 4 {
			disk = w.untilPowerCut(disk, eventlog.Options{}, w.check)
		}
		l := mustOpen(t, Options{FS: disk})
		defer l.Close()
		w.check(l)
	})
}

// TestPowerCutWhileTrimming does so with retention at work.
func TestPowerCutWhileTrimming(t *testing.T) {
	eachSeed(t, func(t *testing.T, seed uint64) {
		w := newWitness(t, seed)
		o := eventlog.Options{Durable: eventlog.Retention{Bytes: 20_000}}
		disk := vfs.NewCrashableMem()
		for range 3 {
			disk = w.untilPowerCut(disk, o, w.checkTrimmed)
		}
		l := mustOpen(t, Options{Options: o, FS: disk})
		defer l.Close()
		w.checkTrimmed(l)
	})
}

// TestPowerCutWhileOpening cuts the power at every write of an open, an append
// and a close: of the first ones, and of later ones.
func TestPowerCutWhileOpening(t *testing.T) {
	disk := vfs.NewCrashableMem()
	for _, stored := range []int{0, 1, 2} {
		cut := int64(1)
		for w := newWitness(t, 1); w.openUntil(disk, cut, stored); cut++ {
		}
		if cut < 10 {
			t.Fatalf("the power was cut at %d writes, want more", cut)
		}
		l := mustOpen(t, Options{FS: disk})
		mustAppend(t, l, one(nave.Durable, "a"))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// openUntil opens copies of the disk, which holds so many events, until the
// power is cut, and checks what is left. It reports false if there was no cut.
func (w *witness) openUntil(disk *vfs.MemFS, cut int64, stored int) bool {
	w.t.Helper()
	for loss := range 5 {
		copied := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: w.random})
		var left *vfs.MemFS
		var n atomic.Int64
		l := mustOpen(w.t, Options{FS: errorfs.Wrap(copied, errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && n.Add(1) == cut {
				left = copied.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 25 * loss, RNG: w.random})
			}
			return nil
		}))})
		mustAppend(w.t, l, one(nave.Durable, "a"))
		if err := l.Close(); err != nil {
			w.t.Fatal(err)
		}
		if n.Load() < cut {
			return false
		}
		l = mustOpen(w.t, Options{FS: left})
		p, err := l.Read(ctx, 0, nave.Filters{"a"}, eventlog.Limit{})
		if err != nil || len(p.Events) < stored || len(p.Events) > stored+1 {
			w.t.Fatalf("after a cut at write %d, loss %d: %d events, %v, want %d", cut, 25*loss, len(p.Events), err, stored)
		}
		l.Close()
	}
	return true
}

// untilPowerCut appends and trims until the power is cut, and returns the disk
// as it is then.
func (w *witness) untilPowerCut(disk *vfs.MemFS, o eventlog.Options, check func(*Log)) *vfs.MemFS {
	cut := int64(5 + w.random.IntN(150))
	loss := vfs.CrashCloneCfg{UnsyncedDataPercent: w.random.IntN(101), RNG: rand.New(rand.NewPCG(w.random.Uint64(), 0))}
	var ops atomic.Int64
	var cutting atomic.Bool // what is acknowledged from now on is not promised
	after := make(chan *vfs.MemFS, 1)
	fs := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && ops.Add(1) == cut {
			cutting.Store(true)
			after <- disk.CrashClone(loss)
		}
		return nil
	}))
	l := mustOpen(w.t, Options{Options: o, FS: described{fs}, memTableBytes: 16 << 10})
	defer l.Close()
	if !cutting.Load() {
		check(l)
	}
	for !cutting.Load() {
		before := w.copy()
		w.append(l)
		if cutting.Load() {
			for n := before.next; n < w.next; n++ {
				before.pending[n] = true
			}
			before.next = w.next
			*w = before
			break
		}
		if err := l.Trim(ctx, w.now); err != nil {
			w.t.Fatal(err)
		}
	}
	return <-after
}

// described is a file system whose files have descriptors: to others Pebble does not
// say how much of them it will need.
type described struct{ vfs.FS }

func (d described) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.Create(name, c)
	return describedFile{f}, err
}

func (d described) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.ReuseForWrite(from, to, c)
	return describedFile{f}, err
}

type describedFile struct{ vfs.File }

func (describedFile) Fd() uintptr { return 0 }

func (w *witness) copy() witness {
	c := *w
	c.stored, c.first, c.pending = maps.Clone(w.stored), maps.Clone(w.first), maps.Clone(w.pending)
	return c
}

// TestFailedWrite makes one write fail, and checks that the log says so from
// then on, ends in order, and is whole when opened again.
func TestFailedWrite(t *testing.T) {
	eachSeed(t, func(t *testing.T, seed uint64) {
		w := newWitness(t, seed)
		disk := vfs.NewMem()
		var ops, at atomic.Int64
		fs := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && ops.Add(1) == at.Load() {
				return errorfs.ErrInjected
			}
			return nil
		}))
		at.Store(1 + w.random.Int64N(250))
		l, err := Open(ctx, place, Options{FS: fs, Logger: quiet, memTableBytes: 16 << 10})
		if err == nil {
			for w.append(l) {
			}
			w.wantBroken(l)
			if err := l.Close(); err != nil {
				t.Errorf("close of a broken log = %v, want it to recover by an open", err)
			}
		} else if !errors.Is(err, errorfs.ErrInjected) {
			t.Fatalf("open = %v, want the injected error", err)
		}
		again := mustOpen(t, Options{FS: disk})
		defer again.Close()
		w.check(again)
	})
}

func (w *witness) wantBroken(l *Log) {
	w.t.Helper()
	_, appendErr := l.Append(ctx, []eventlog.Batch{w.batch()})
	_, readErr := l.Read(ctx, 0, nave.Filters{"**"}, eventlog.Limit{})
	_, stateErr := l.State(ctx, nave.Filters{"**"})
	for call, err := range map[string]error{
		"append": appendErr, "read": readErr, "state": stateErr, "trim": l.Trim(ctx, w.now),
	} {
		if !errors.Is(err, eventlog.ErrBroken) || !errors.Is(err, errorfs.ErrInjected) {
			w.t.Errorf("%s of a broken log = %v, want %v and the cause", call, err, eventlog.ErrBroken)
		}
	}
}
