package hub

import (
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/supervision"
	"github.com/navehub/nave/telemetry"
)

const (
	// topicMailbox and topicMailboxBytes bound what waits for one topic; one batch may
	// always.
	topicMailbox      = 1024
	topicMailboxBytes = 4 << 20
	// topicIdle is how long a topic without publishers keeps its actor.
	topicIdle = 5 * time.Minute
)

// A topicMessage is anything a topic actor accepts.
//
//sumtype:decl
type topicMessage interface{ topicMessage() }

// publish asks for a batch to be committed. It carries two promises: that the
// journal has it, and of the outcome, which the journal gives. topics are those of
// its events, the receiver first.
type publish struct {
	actors.Reply[struct{}]
	outcome  actors.Reply[eventlog.Outcome]
	batch    eventlog.Batch
	bytes    int
	accepted time.Time // by the wall clock, and the monotonic one
	topics   []*topic
	trace    trace.SpanContext
}

// settled says that the journal has answered some of what it held for the topic.
type settled struct{}

// idle asks whether it is time to leave.
type idle struct{}

func (publish) topicMessage() {}
func (settled) topicMessage() {}
func (idle) topicMessage()    {}

// MessageSize is what the batch holds in memory while it waits.
func (p publish) MessageSize() int { return p.bytes }

// PromptMessage lets the publisher admit its batch itself, if nobody else is at it.
func (publish) PromptMessage() {}

// ControlMessage lets the news through although publishes are backed up.
func (settled) ControlMessage() {}

// ControlMessage lets the question through although publishes are backed up.
func (idle) ControlMessage() {}

// A topic is what the hub knows of a live topic. Its actor admits publishes:
// each topic has its own mailbox and its own share of the journal, so that a
// flooded one refuses its own publishers and nobody else's.
type topic struct {
	// Set when the actor is spawned, never changed.
	name       nave.Topic
	durability nave.Durability
	limiter    *rate.Limiter // nil for no limit; safe for concurrent use
	share      int64         // bytes that the journal may hold for this topic
	ref        actors.Ref[topicMessage]

	inJournal atomic.Int64                    // bytes; added by the actor, taken by the journal
	held      atomic.Bool                     // the actor waits for settled
	published atomic.Uint64                   // events
	looked    uint64                          // owned by the governor: published when it looked last
	breaker   atomic.Pointer[breaker.Breaker] // nil while no publish fails; see failing.go
}

// settle is called by the journal for every publish it has answered.
func (t *topic) settle(bytes int) {
	left := t.inJournal.Add(-int64(bytes))
	if left <= t.share/2 && t.held.Load() {
		_ = t.ref.Tell(settled{}) // full: such news is waiting already
	}
}

func (h *Hub) topicSpec(t *topic) actors.Spec[topicMessage] {
	return actors.Spec[topicMessage]{
		Kind:    supervision.Topic,
		Mailbox: actors.Limits{Count: topicMailbox, Bytes: max(topicMailboxBytes, h.config.Limits.largestBatch())},
		New:     func() actors.Actor[topicMessage] { return &topicActor{topic: t, hub: h} },
	}
}

type topicActor struct {
	*topic
	hub  *Hub
	last time.Time // the latest publish
}

func (t *topicActor) Started(c *actors.Context[topicMessage]) {
	t.held.Store(false)
	t.last = time.Now()
	c.After(topicIdle, idle{})
}

func (t *topicActor) Receive(c *actors.Context[topicMessage], m topicMessage) {
	switch m := m.(type) {
	case publish:
		t.last = time.Now()
		t.admit(m)
		t.holdIfFull(c)
	case settled:
		t.releaseIfRoom(c)
	case idle:
		t.leaveIfIdle(c)
	}
}

// admit passes a publish on to the journal, or tells its publisher why not.
func (t *topicActor) admit(p publish) {
	wait := t.last.Sub(p.accepted)
	t.hub.telemetry.Admitted(wait)
	if err := t.allow(p); err != nil {
		p.Fail(err)
		return
	}
	t.inJournal.Add(int64(p.bytes))
	err := t.hub.journal.Tell(commit{
		Reply: p.outcome, batch: p.batch, bytes: p.bytes, topic: t.topic,
		accepted: p.accepted, admitted: t.last, trace: p.trace,
	})
	if err != nil {
		t.inJournal.Add(-int64(p.bytes))
		if isFull(err) {
			err = nave.Errorf(nave.CodeOverloaded, "the hub has as much to commit as it may hold").After(time.Second)
		} else {
			err = nave.Errorf(nave.CodeUnavailable, "the hub has no journal now: nothing was stored").After(time.Second)
		}
		p.Fail(err)
		return
	}
	p.count()
	p.Send(struct{}{})
	t.hub.telemetry.Stage(p.trace, telemetry.SpanTopic, p.accepted, t.last)
}

// allow takes the batch from the rate limit of every topic in it, or from none.
func (t *topicActor) allow(p publish) error {
	var taken []*rate.Reservation
	for _, other := range p.topics {
		if other.limiter == nil {
			continue
		}
		n := count(p.batch.Events, other.name)
		r := other.limiter.ReserveN(t.last, n)
		taken = append(taken, r)
		if r.OK() && r.DelayFrom(t.last) == 0 {
			continue
		}
		delay := r.DelayFrom(t.last)
		for _, r := range taken {
			r.CancelAt(t.last)
		}
		if !r.OK() {
			return nave.Errorf(nave.CodeTooMany, "the batch has %d events for topic %s, which takes at most %d at once",
				n, other.name, other.limiter.Burst())
		}
		return nave.Errorf(nave.CodeBusy, "topic %s is over its rate limit of %g events a second",
			other.name, float64(other.limiter.Limit())).After(delay)
	}
	return nil
}

// count notes for each topic how much was published to it.
func (p *publish) count() {
	if len(p.topics) == 1 {
		p.topics[0].published.Add(uint64(len(p.batch.Events)))
		return
	}
	for _, t := range p.topics {
		t.published.Add(uint64(count(p.batch.Events, t.name)))
	}
}

func count(events []nave.Event, t nave.Topic) int {
	n := 0
	for i := range events {
		if events[i].Topic == t {
			n++
		}
	}
	return n
}

// holdIfFull stops taking publishes once the journal holds the topic's share of
// them; its mailbox then fills and refuses.
func (t *topicActor) holdIfFull(c *actors.Context[topicMessage]) {
	if t.inJournal.Load() < t.share || t.held.Load() {
		return
	}
	c.Hold()
	t.held.Store(true)
	t.releaseIfRoom(c) // the journal may have settled just before it could see held
}

func (t *topicActor) releaseIfRoom(c *actors.Context[topicMessage]) {
	if t.held.Load() && t.inJournal.Load() <= t.share/2 {
		t.held.Store(false)
		c.Release()
	}
}

// leaveIfIdle ends the actor of a topic that nobody publishes to. Who comes
// meanwhile finds it stopped, and asks for a new one.
func (t *topicActor) leaveIfIdle(c *actors.Context[topicMessage]) {
	quiet := time.Since(t.last)
	if quiet < topicIdle || t.inJournal.Load() > 0 || c.Waiting() > 0 {
		c.After(max(topicIdle-quiet, time.Second), idle{})
		return
	}
	t.hub.topics.forget(t.topic)
	c.Stop()
}
