package hub

import (
	"context"
	"errors"
	"runtime"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/supervision"
	"github.com/navehub/nave/telemetry"
)

const (
	// groupBatches and groupBytes bound one commit, so that the first of a flood
	// does not wait for all of it.
	groupBatches = 1024
	groupBytes   = 4 << 20
)

// A journalMessage is anything the journal accepts.
//
//sumtype:decl
type journalMessage interface{ journalMessage() }

// commit is a publish that its topic has admitted.
type commit struct {
	actors.Reply[eventlog.Outcome]
	batch    eventlog.Batch
	bytes    int
	topic    *topic // that has admitted it
	accepted time.Time
	admitted time.Time
	trace    trace.SpanContext
	to       [][]uint64 // of each event; nil: they are for all who follow their topics
}

// reopen is another try to open a log that broke.
type reopen struct{}

// check is the time to ask the log whether it is ready.
type check struct{}

func (commit) journalMessage() {}
func (reopen) journalMessage() {}
func (check) journalMessage()  {}

// MessageSize is what the batch holds in memory while it waits.
func (c commit) MessageSize() int { return c.bytes }

// Fail answers a commit that the journal will not answer. One that it never took
// from its mailbox gives its topic the room back here.
func (c commit) Fail(err error) {
	c.Reply.Fail(err)
	if errors.Is(err, actors.ErrStopped) {
		c.topic.settle(c.bytes)
	}
}

// ControlMessage lets the try through although commits are backed up.
func (reopen) ControlMessage() {}

// ControlMessage lets the question through although commits are backed up.
func (check) ControlMessage() {}

// The journal owns the log and is its only writer. What has gathered in its
// mailbox becomes one commit; while that one syncs, the next gathers.
type journal struct {
	hub     *Hub
	log     eventlog.Log // nil while broken
	unready bool         // the log has said that it is not
	pause   time.Duration
	untry   func()   // calls off the try to reopen it that is due
	waiting []commit // the group that gathers
	bytes   int

	untrimmed int // bytes of memory events since retention was told
}

func (h *Hub) journalSpec() actors.Spec[journalMessage] {
	return actors.Spec[journalMessage]{
		Kind:    supervision.Journal,
		Mailbox: actors.Limits{Count: 64 << 10, Bytes: h.config.Limits.JournalBytes},
		New:     func() actors.Actor[journalMessage] { return &journal{hub: h, untry: func() {}} },
	}
}

// Started takes over the log that the hub opened. After a failure nobody knows
// what state the log is in, so it is opened anew.
func (j *journal) Started(c *actors.Context[journalMessage]) {
	c.After(checkEvery, check{})
	if log := j.hub.opened.Swap(nil); log != nil {
		j.use(c, *log)
		return
	}
	j.reopen(c)
}

func (j *journal) Receive(c *actors.Context[journalMessage], m journalMessage) {
	switch m := m.(type) {
	case commit:
		j.waiting = append(j.waiting, m)
		j.bytes += m.bytes
	case reopen:
		j.reopen(c)
	case check:
		c.After(checkEvery, check{})
		j.check(c)
	}
	if j.due(c) {
		j.commit(c)
	}
}

// due reports whether it is time to commit.
func (j *journal) due(c *actors.Context[journalMessage]) bool {
	switch n := len(j.waiting); {
	case n == 0:
		return false
	case n >= groupBatches || j.bytes >= groupBytes:
		return true
	case c.Waiting() > 0:
		return false
	}
	// A commit costs the same for many as for one, so whoever is ready to publish
	// gets to it.
	runtime.Gosched()
	return c.Waiting() == 0
}

// Stopped tells those whose outcome nobody knows.
func (j *journal) Stopped() {
	j.hub.guard.underway.Store(nil) // it may have failed in the middle
	if j.log != nil {
		if err := j.log.Close(); err != nil {
			j.hub.logger.Error("the log does not close cleanly", "error", err)
		}
		j.log = nil
	}
	j.refuse(errLogBroken)
}

var errLogBroken = nave.Errorf(nave.CodeUnavailable,
	"the log cannot be written now; the event may or may not be stored: try again with the same id").After(time.Second)

var errLogClosed = nave.Errorf(nave.CodeUnavailable,
	"the log is being reopened: nothing was stored").After(time.Second)

func (j *journal) commit(c *actors.Context[journalMessage]) {
	start := time.Now()
	outcomes, err := j.append()
	if err != nil {
		j.hub.logger.Error("the log refuses a write; reopening it", "error", err)
		j.broken(c, err)
		return
	}
	took := time.Since(start)
	g := j.group(outcomes)
	if len(g.frames) > 0 {
		j.hub.recent.add(g)
		j.dispatch(g)
	}
	j.measure(start, took, g)
	j.answer(outcomes)
	j.waiting, j.bytes = j.waiting[:0], 0
}

// append writes what the log stores of the group. Transient batches pass it by;
// their outcome is the zero one.
func (j *journal) append() ([]eventlog.Outcome, error) {
	outcomes := make([]eventlog.Outcome, len(j.waiting))
	batches := make([]eventlog.Batch, 0, len(j.waiting))
	at := make([]int, 0, len(j.waiting))
	for i := range j.waiting {
		if j.waiting[i].batch.Durability == nave.Transient {
			continue
		}
		if j.log == nil {
			outcomes[i].Err = errLogClosed
			continue
		}
		if j.waiting[i].batch.Durability == nave.Memory {
			j.untrimmed += j.waiting[i].bytes
		}
		batches = append(batches, j.waiting[i].batch)
		at = append(at, i)
	}
	if len(batches) == 0 {
		return outcomes, nil
	}
	j.hub.guard.begin()
	stored, err := j.log.Append(context.Background(), batches)
	j.hub.guard.end(err)
	if err != nil {
		return nil, err
	}
	for i, o := range stored {
		outcomes[at[i]] = o
	}
	if j.untrimmed > trimBytes {
		j.untrimmed = 0
		_ = j.hub.retention.Tell(trim{}) // full: it is about to
	}
	return outcomes, nil
}

// group formats what was committed, once for all clients.
func (j *journal) group(outcomes []eventlog.Outcome) *group {
	g := &group{head: j.hub.Head(), at: time.Now()}
	events := make([]nave.Event, 0, len(outcomes)) // most batches are of one
	for i := range outcomes {
		if outcomes[i].Err == nil && !outcomes[i].Repeat {
			events = appendPlaced(events, &outcomes[i], j.waiting[i].batch.Events)
		}
	}
	g.frames = frame.All(j.hub.Epoch(), events)
	rest := g.frames
	for i := range outcomes {
		if outcomes[i].Err != nil || outcomes[i].Repeat {
			continue
		}
		w := &j.waiting[i]
		fanout := j.hub.telemetry.StartFanout(w.trace, g.at)
		for k, f := range rest[:len(w.batch.Events)] {
			f.Accepted, f.Fanout = w.accepted, fanout
			if w.to != nil {
				f.To = w.to[k]
			}
			g.head = max(g.head, f.Event.Offset)
			g.bytes += f.Memory()
		}
		rest = rest[len(w.batch.Events):]
	}
	g.shards.Store(int32(len(j.hub.dispatchers)))
	return g
}

// appendPlaced appends a batch's events, each with its place.
func appendPlaced(events []nave.Event, o *eventlog.Outcome, batch []nave.Event) []nave.Event {
	for k, e := range batch {
		e.Batch = nave.Position{I: k, N: len(batch)}
		if o.First > 0 {
			e.Offset = o.First + uint64(k)
		}
		events = append(events, e)
	}
	return events
}

// answer tells every publisher, and every topic that its share has room again.
func (j *journal) answer(outcomes []eventlog.Outcome) {
	for i, o := range outcomes {
		w := &j.waiting[i]
		if o.Err != nil {
			w.Fail(o.Err)
		} else {
			w.Send(o)
		}
		w.topic.settle(w.bytes)
	}
	clear(j.waiting)
}

func (j *journal) refuse(err error) {
	for i := range j.waiting {
		j.waiting[i].Fail(err)
		j.waiting[i].topic.settle(j.waiting[i].bytes)
	}
	clear(j.waiting)
	j.waiting, j.bytes = j.waiting[:0], 0
}

// dispatch hands the group to every shard. One that is full is woken instead,
// and finds what it missed among the recent groups.
func (j *journal) dispatch(g *group) {
	for i, d := range j.hub.dispatchers {
		if j.hub.shards[i].empty.Load() {
			g.offered()
		} else if err := d.Tell(committed{g}); err != nil {
			_ = d.Tell(wake{}) // full: it has been woken already
		}
	}
}

func (j *journal) measure(start time.Time, took time.Duration, g *group) {
	j.hub.telemetry.Appended(len(g.frames), g.bytes, start.Sub(j.waiting[0].admitted), took)
	for i := range j.waiting {
		w := &j.waiting[i]
		if !w.trace.IsSampled() {
			continue
		}
		j.hub.telemetry.Stage(w.trace, telemetry.SpanAppend, w.admitted, start.Add(took),
			telemetry.AttrAppendGroup.Int(len(j.waiting)),
			telemetry.AttrAppendBytes.Int(g.bytes),
			telemetry.AttrAppendQueue.Int64(start.Sub(w.admitted).Microseconds()),
			telemetry.AttrAppendCommit.Int64(took.Microseconds()))
	}
}
