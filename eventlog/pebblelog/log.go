// Package pebblelog is the log of a single hub on its own disk, on Pebble.
//
// Durability: a durable event is synced before Append returns, and becomes
// visible to readers only then. Memory events are in RAM, in the same order of
// offsets; they go when the process ends, and readers who may have missed some
// are told so by a reset. A log that fails to write or sync is broken: every
// call says so until the log is closed and opened anew, which recovers as from
// a crash, though with the memory events if it is the same [Opener] that does. A
// disk that is nearly full does not break it: see [Options.MinFree].
//
// Memory: 16 MB for Pebble's tables and cache, whatever the size of the log, and
// the memory events. Of their idempotency keys at most half a million are
// remembered, so that the oldest may leave before their window passes.
//
// Reset by restart: a topic's first segment is marked on disk before its first
// memory event is acknowledged. When the log is opened again, readers whose
// filters can match a topic with that first segment can resume from the newest
// offset that may have been handed out before, and not from earlier. Readers of
// other topics are not affected.
package pebblelog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/internal/horizon"
	"github.com/navehub/nave/eventlog/internal/memstore"
)

// Options configure a Log. The zero Options keep everything, without bound: see
// [eventlog.Options].
type Options struct {
	eventlog.Options
	// FS is the file system that the directory is on.
	//
	// Defaults to that of the operating system.
	FS vfs.FS
	// Logger hears of what goes on in the store, mostly at debug level.
	//
	// Defaults to [slog.Default].
	Logger *slog.Logger
	// MinFree is how many bytes must stay free on the disk. With less, durable
	// events are refused, and all else goes on. If it is negative, none.
	//
	// Defaults to 64 MiB.
	MinFree int64

	memTableBytes uint64 // small in tests, to make Pebble flush and compact
}

// A Log is an eventlog.Log in a directory.
type Log struct {
	// Set by Open, never changed.
	options Options
	dir     string
	epoch   nave.Epoch
	db      *pebble.DB
	acked   *headFile
	lock    *pebble.Lock
	memory  *memstore.Store
	fault   *fault      // what broke the log
	damage  *fault      // what in it cannot be read
	short   atomic.Bool // of room on the disk

	gate gate
	head atomic.Uint64 // newest visible offset
	held atomic.Pointer[held]

	// Of what readers may miss. Raised before the events it speaks of go.
	horizons *horizon.Map // by topic, for retention
	restarts *horizon.Map // by first segment, for memory events of earlier runs

	// write is held by Append until what it wrote is visible, by each step of
	// Trim, and by State to see the log between two changes.
	write sync.Mutex

	// Guarded by write.
	reserved  uint64          // no offset above was ever handed out
	first     uint64          // no durable event in the log has an offset below
	marked    map[string]bool // first segments with a mark for this run
	lastSweep time.Time       // of idempotency keys
	looked    time.Time       // when the room was looked for
	unlooked  int64           // bytes appended since

	snapshots snapshots

	// valuesRead counts the events read from disk by Read, for tests.
	valuesRead atomic.Uint64
}

var _ eventlog.Log = (*Log)(nil)

// held is what the log holds of durable events.
type held struct {
	bytes   int64
	any     bool
	oldest  time.Time // commit of the oldest, if any
	latest  time.Time // commit of the newest, if any
	commits uint64    // of all that publishers waited for
}

// Opener opens the log in the directory, again and again. Memory events outlive a
// log that broke: the next one takes them over.
func Opener(dir string, o Options) eventlog.Opener {
	var mu sync.Mutex
	var before *Log
	return func(ctx context.Context) (eventlog.Log, error) {
		mu.Lock()
		defer mu.Unlock()
		l, err := open(ctx, dir, o, before)
		if err != nil {
			return nil, err
		}
		before = l
		return l, nil
	}
}

// Epoch identifies the log.
func (l *Log) Epoch() nave.Epoch { return l.epoch }

// Head is the newest visible offset, or after an open the newest that may have
// been handed out before.
func (l *Log) Head() uint64 { return l.head.Load() }

// Stats reports what the log holds. DurableBytes is what retention counts: the
// events in the log, without the state whose events have left it.
func (l *Log) Stats() eventlog.Stats {
	durable, memory := l.held.Load(), l.memory.Stats()
	return eventlog.Stats{
		Head:          l.Head(),
		DurableBytes:  durable.bytes,
		MemoryBytes:   memory.Logged + memory.Kept,
		OldestDurable: durable.oldest,
		NewestDurable: durable.latest,
	}
}

// enter begins a call; leave ends it.
func (l *Log) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := l.gate.enter(); err != nil {
		return err
	}
	if err := l.broken(); err != nil {
		l.gate.leave()
		return err
	}
	return nil
}

func (l *Log) leave() { l.gate.leave() }

// broken is an error if the log is. What Pebble holds by then may include what
// never reached the disk, so not even reads go on.
func (l *Log) broken() error {
	if cause := l.fault.err(); cause != nil {
		return fmt.Errorf("%w: %w", eventlog.ErrBroken, cause)
	}
	return nil
}

// breaks makes the error the one that broke the log.
func (l *Log) breaks(err error) error {
	l.fault.set(err)
	return l.broken()
}

// Close releases the log and the directory. It waits for calls that are under
// way. To have been broken before is no error: that was told, and an open can
// recover.
func (l *Log) Close() error {
	if !l.gate.close() {
		return nil
	}
	l.snapshots.closeAll()
	known := l.broken()
	err := errors.Join(l.settle(), l.db.Close(), l.acked.close(), l.lock.Close())
	if err == nil && known == nil {
		err = l.broken()
	}
	if err != nil {
		return fmt.Errorf("close the log: %w", err)
	}
	return nil
}

// settle gives back the offsets that were reserved and not used, so that
// readers who have everything need not be reset by a restart.
func (l *Log) settle() error {
	if l.broken() != nil || l.reserved == l.Head() {
		return nil
	}
	w := l.newWrite()
	defer w.close()
	l.reserved = l.Head()
	w.position(position{l.reserved, l.held.Load().bytes, l.held.Load().commits})
	return l.commit(w, pebble.Sync)
}
