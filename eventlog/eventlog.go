// Package eventlog is the contract between the hub and what stores its events.
//
// A log is one total order of batches. It has a single writer, the journal, and
// many readers. Engines assign offsets, check conditions and remember
// idempotency keys, so that a log shared by several nodes can implement this
// interface too. Package logtest holds the suite that every engine passes.
package eventlog

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/navehub/nave"
)

// ErrClosed is returned by every method of a log that was closed.
var ErrClosed = errors.New("eventlog: closed")

// ErrBroken is returned, by every method, once a write or sync has failed. What
// the write carried may or may not be stored, and a failed sync must never be
// retried and believed: close the log and open it anew.
var ErrBroken = errors.New("eventlog: broken by a failed write; reopen it")

// A Log stores batches in one total order.
//
// Append is for one caller at a time, and so is Trim; they may run beside each
// other. Everything else may be called from any goroutine, also beside them. An event is visible to readers only when
// it is as safe as its durability says: nobody reads what a crash could undo.
type Log interface {
	// Epoch identifies the log. It never changes while the log exists.
	Epoch() nave.Epoch

	// Head is the offset of the newest visible event, or of the newest offset
	// that may have been handed out before the log was opened. A reader at Head
	// has everything.
	Head() uint64

	// Append stores a group of batches as one write and returns an outcome for
	// each, in the same order. Batches take effect one after the other: a later
	// one sees the versions and ids of an earlier one in the group.
	//
	// Every accepted event gets the next offset; offsets are never reused, not
	// even those of memory events lost in a crash, and may have gaps, though not
	// within a batch. On return durable batches are on stable storage. An error
	// means that the outcome of the whole group is unknown and that the log is
	// broken.
	Append(ctx context.Context, group []Batch) ([]Outcome, error)

	// Read returns events after the offset that match the filters, oldest first,
	// whole batches only. It does not scan what other topics hold when the
	// filters name few topics. It fails with *nave.ResetError if retention has
	// taken events that the caller has not seen, that is, if after < Oldest, or
	// if after > Head. The events' Data is shared and must not be changed.
	Read(ctx context.Context, after uint64, filters nave.Filters, limit Limit) (Page, error)

	// State is a consistent snapshot of the latest event of each key, tombstones
	// left out, that matches the filters. The caller closes it.
	State(ctx context.Context, filters nave.Filters) (Snapshot, error)

	// Oldest is the smallest offset from which a reader of these filters can
	// resume with nothing missing. A busy topic's retention does not move it for
	// readers of other topics. What left memory because the process ended counts
	// as taken by retention.
	Oldest(filters nave.Filters) uint64

	// Trim applies retention as of now, in small steps that do not hold up
	// readers or appends for long. The journal's owner calls it now and then.
	//
	// Events older than their durability's age, or beyond its bytes, leave from
	// the oldest side, whole batches at a time. The latest event of a key stays
	// readable by State, and keeps its version, until it is superseded; a
	// tombstone only until retention passes it, after which the key's version is
	// 0 again. Idempotency keys leave when their window passes.
	Trim(ctx context.Context, now time.Time) error

	// Ready is nil while the log can do all it promises. It may be broken, or else
	// so short of room that Append refuses durable events, or damaged where Read
	// then fails with nave.ResetDamaged; all else goes on.
	Ready() error

	// Stats reports what the log holds.
	Stats() Stats

	// Close releases the log. Snapshots must be closed before. Closing twice is
	// no error.
	Close() error
}

// An Opener opens the log, or opens it anew after it was closed or broken. What is
// in RAM outlives that.
type Opener func(ctx context.Context) (Log, error)

// A Batch is appended whole or not at all. Its events have been validated.
type Batch struct {
	Events []nave.Event
	// Durability is [nave.Durable] or [nave.Memory] for all its events: a batch
	// is as durable as its most durable event. Transient batches never reach a log.
	Durability nave.Durability
	// Time is when the hub accepted the batch. Retention and the idempotency
	// window count from it.
	Time time.Time
}

// Size is what the batch costs, in bytes, roughly.
func (b *Batch) Size() int {
	n := 0
	for i := range b.Events {
		n += b.Events[i].Size()
	}
	return n
}

// An Outcome says what became of a batch.
type Outcome struct {
	// First is the offset of the batch's first event; the others follow it
	// without gaps. For a repeat it is where the first publish went.
	First uint64
	// Repeat is true if all of this was stored before, under the same ids, and
	// nothing was stored now.
	//
	// A batch is a repeat if its events that carry an id were, within the window,
	// appended as events of one batch of the same size at the same places.
	Repeat bool
	// Err refuses the batch, and nothing of it was stored: *nave.ConflictError if
	// a condition did not hold, with all that did not, or a nave.Error with
	// CodePartialRepeat if only some of its ids were seen before, or not together,
	// or with CodeInvalid if an id is in the batch twice, or with CodeUnavailable if
	// the log takes no durable events now. Repeats are looked for
	// before conditions are checked, so that a retry hears what the first try did.
	// Conditions are checked against the state before the batch.
	Err error
}

// A Limit bounds a page. Whole batches are kept, so a page may exceed it by the
// rest of its last batch. Zero fields mean a sensible default.
type Limit struct{ Events, Bytes int }

// A Page is a stretch of the log as seen through filters.
type Page struct {
	// Events match the filters; Offset and Batch are set.
	Events []nave.Event
	// Next is the offset up to which the page says everything: read on after it.
	Next uint64
	// More reports whether there was more to read at the time.
	More bool
}

// A Snapshot is the state of keys at one offset.
type Snapshot interface {
	// Offset is where the snapshot was taken: it holds everything up to here,
	// so that reading the log after Offset misses nothing and repeats nothing.
	Offset() uint64
	// Events yields the latest event of each key, ordered by topic and key. An
	// error ends the sequence.
	Events() iter.Seq2[nave.Event, error]
	Close() error
}

// Retention says how long events of one durability are kept. To an engine, what is
// not positive is without that bound.
type Retention struct {
	Age   time.Duration
	Bytes int64
}

// Options are common to all engines. To an engine the zero Options keep everything,
// without bound, which is for tests: what runs for long sets both retentions, or is put
// together with package wiring, which fills in what is zero.
type Options struct {
	Durable Retention
	Memory  Retention
	// IdempotencyWindow is how long a (source, id) is remembered.
	//
	// Defaults to 24 hours.
	IdempotencyWindow time.Duration
}

// Window is the idempotency window with its default applied.
func (o Options) Window() time.Duration {
	if o.IdempotencyWindow > 0 {
		return o.IdempotencyWindow
	}
	return 24 * time.Hour
}

// Stats describe what a log holds, by durability where that makes a difference.
type Stats struct {
	Head          uint64
	DurableBytes  int64     // of the events in the log: what retention counts
	MemoryBytes   int64     // in RAM
	OldestDurable time.Time // zero if there is none
	NewestDurable time.Time // zero if there is none
}
