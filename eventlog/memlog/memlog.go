// Package memlog is a log in RAM, for tests and for hubs whose events need not
// outlive the process. Durable events are no safer in it than memory events;
// they only have a retention of their own.
package memlog

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/internal/admit"
	"github.com/navehub/nave/eventlog/internal/memstore"
	"github.com/navehub/nave/eventlog/internal/page"
)

// trimStep is about how many events leave while readers wait.
const trimStep = 1024

// A Log is an eventlog.Log in RAM.
type Log struct {
	// Set by Open, never changed.
	epoch   nave.Epoch
	window  time.Duration
	durable *memstore.Store
	memory  *memstore.Store

	// Held while the log changes, and by State to see it between two changes.
	mu     sync.Mutex
	closed atomic.Bool
	head   atomic.Uint64 // stored last, so that readers see whole groups
}

var _ eventlog.Log = (*Log)(nil)

// Open makes an empty log with an epoch of its own.
func Open(o eventlog.Options) *Log {
	return &Log{
		epoch:   nave.Epoch(strings.ToLower(rand.Text()[:12])),
		window:  o.Window(),
		durable: memstore.New(o.Durable, o.Window()),
		memory:  memstore.New(o.Memory, o.Window()),
	}
}

// Opener opens one log, the same each time: what is in RAM outlives a writer that
// failed and had to open it anew.
func Opener(o eventlog.Options) eventlog.Opener {
	log := Open(o)
	return func(context.Context) (eventlog.Log, error) {
		log.closed.Store(false)
		return log, nil
	}
}

// Epoch identifies the log.
func (l *Log) Epoch() nave.Epoch { return l.epoch }

// Head is the offset of the newest event.
func (l *Log) Head() uint64 { return l.head.Load() }

// Append stores a group of batches; see [eventlog.Log].
func (l *Log) Append(_ context.Context, group []eventlog.Batch) ([]eventlog.Outcome, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed.Load() {
		return nil, eventlog.ErrClosed
	}
	outcomes, accepted, err := admit.Group(past{l}, l.window, l.head.Load(), group)
	if err != nil {
		return nil, err
	}
	head := l.head.Load()
	for _, b := range accepted {
		store, other := l.memory, l.durable
		if b.Durability == nave.Durable {
			store, other = other, store
		}
		store.Append(b)
		for i := range b.Events {
			if e := &b.Events[i]; e.Key != "" {
				other.Forget(admit.KeyOf(e)) // or it would come back when this one goes
			}
		}
		head += uint64(len(b.Events))
	}
	l.head.Store(head)
	return outcomes, nil
}

// Read returns a page; see [eventlog.Log].
func (l *Log) Read(ctx context.Context, after uint64, filters nave.Filters, limit eventlog.Limit) (eventlog.Page, error) {
	if err := l.ready(ctx); err != nil {
		return eventlog.Page{}, err
	}
	head := l.head.Load()
	if after > head {
		return eventlog.Page{}, &nave.ResetError{Reason: nave.ResetAhead}
	}
	durable := l.durable.Read(after, head, filters, limit)
	memory := l.memory.Read(after, head, filters, limit)
	// Trim announces what it takes before it does, so ask after reading.
	if !l.durable.Allows(after, filters) || !l.memory.Allows(after, filters) {
		return eventlog.Page{}, &nave.ResetError{Reason: nave.ResetRetention}
	}
	return page.Merge(durable, memory, limit), nil
}

// State is a snapshot of the latest events; see [eventlog.Log].
func (l *Log) State(ctx context.Context, filters nave.Filters) (eventlog.Snapshot, error) {
	if err := l.ready(ctx); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return &snapshot{
		offset:  l.head.Load(),
		durable: l.durable.State(filters),
		memory:  l.memory.State(filters),
	}, nil
}

// Oldest is where a reader of these filters can resume; see [eventlog.Log].
func (l *Log) Oldest(filters nave.Filters) uint64 {
	return max(l.durable.Oldest(filters), l.memory.Oldest(filters))
}

// Trim applies retention; see [eventlog.Log].
func (l *Log) Trim(ctx context.Context, now time.Time) error {
	for more := true; more; {
		if err := l.ready(ctx); err != nil {
			return err
		}
		more = l.trim(l.durable, now)
		more = l.trim(l.memory, now) || more
	}
	return nil
}

func (l *Log) trim(s *memstore.Store, now time.Time) (more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, more = s.Trim(now, trimStep)
	return more
}

// Ready is nil while the log is open.
func (l *Log) Ready() error { return l.ready(context.Background()) }

// Stats reports what the log holds.
func (l *Log) Stats() eventlog.Stats {
	durable, memory := l.durable.Stats(), l.memory.Stats()
	return eventlog.Stats{
		Head:          l.Head(),
		DurableBytes:  durable.Logged,
		MemoryBytes:   memory.Logged + memory.Kept,
		OldestDurable: durable.Oldest,
		NewestDurable: durable.Newest,
	}
}

// Close makes the log refuse all further use. Snapshots stay readable.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed.Store(true)
	return nil
}

func (l *Log) ready(ctx context.Context) error {
	if l.closed.Load() {
		return eventlog.ErrClosed
	}
	return ctx.Err()
}
