package hub

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/eventlog"
)

// Published says what became of a batch.
type Published struct {
	// Cursor is of the batch's last event; zero for a transient batch.
	Cursor nave.Cursor
	Events []Placed
	// Repeat is true if the batch had been published before: Events are the
	// first publish's.
	Repeat bool
}

// Placed is one event's place in the order. A transient event has none.
type Placed struct {
	ID              string
	Offset, Version uint64
}

// Publish commits the events as one batch, all or nothing, and returns when they
// are as safe as their topics' durability says. The hub keeps the events; the
// caller must not change them afterwards.
//
// Errors are *nave.ConflictError or *nave.Error. With nave.CodeUnavailable, and
// when ctx ends first, the batch may or may not have been stored: publish it
// again under the same ids.
func (h *Hub) Publish(ctx context.Context, events ...nave.Event) (Published, error) {
	p, err := h.Submit(ctx, events...)
	if err != nil {
		return Published{}, err
	}
	return p.Wait(ctx)
}

// A Pending is a batch on its way into the log.
type Pending struct {
	hub     *Hub
	publish publish
	span    trace.Span
	left    atomic.Bool // the gate
}

// Submit is the first half of Publish: it returns when the batch has its place in
// the order, which is before it is committed. What is submitted from then on comes
// after it, whatever the topics.
func (h *Hub) Submit(ctx context.Context, events ...nave.Event) (*Pending, error) {
	p := &Pending{hub: h}
	if err := p.submit(ctx, events); err != nil {
		return nil, h.refused(err)
	}
	return p, nil
}

// Wait is the other half of Publish, and is called once. If it is not, the batch is
// committed all the same.
func (p *Pending) Wait(ctx context.Context) (Published, error) {
	defer p.span.End()
	outcome, err := p.publish.outcome.Wait(ctx)
	if err != nil {
		return Published{}, p.hub.refused(unknownIfEnded(err))
	}
	batch := &p.publish.batch
	if !outcome.Repeat {
		p.hub.telemetry.Published(batch.Durability, len(batch.Events), time.Since(p.publish.accepted))
	}
	return p.hub.published(batch.Events, outcome), nil
}

// Answered reports whether Wait would return at once.
func (p *Pending) Answered() bool { return p.publish.outcome.Answered() }

// Done is closed when Wait would return at once.
func (p *Pending) Done() <-chan struct{} { return p.publish.outcome.Done() }

// refused tells telemetry.
func (h *Hub) refused(err error) error {
	h.telemetry.Refused(nave.CodeOf(err))
	var conflict *nave.ConflictError
	if errors.As(err, &conflict) {
		h.telemetry.Conflicted(len(conflict.Conflicts))
	}
	return err
}

// submit enters the gate, and leaves it with an error. Otherwise the journal's
// answer does: nobody may ever wait for that.
func (p *Pending) submit(ctx context.Context, events []nave.Event) (err error) {
	h, start := p.hub, time.Now()
	if !h.publishers.enter() {
		return h.closed()
	}
	admitted := false
	defer func() {
		if !admitted {
			p.leave()
		}
	}()
	bytes, err := h.checkBatch(events)
	if err != nil {
		return err
	}
	ctx, p.span = h.telemetry.StartPublish(ctx, events)
	for i := range events {
		if events[i].Time.IsZero() {
			events[i].Time = start
		}
	}
	p.publish = publish{
		outcome:  actors.NewReplyThen[eventlog.Outcome](p.leave),
		batch:    eventlog.Batch{Events: events},
		bytes:    bytes,
		accepted: start,
		trace:    trace.SpanContextFromContext(ctx),
	}
	if err := h.queue(ctx, &p.publish); err != nil {
		p.span.End()
		return unknownIfEnded(err)
	}
	admitted = true
	return nil
}

func (p *Pending) leave() {
	if p.left.CompareAndSwap(false, true) {
		p.hub.publishers.leave()
	}
}

// checkBatch gives what the batch takes, in bytes. It is bounded by its data, which
// publishers can see.
func (h *Hub) checkBatch(events []nave.Event) (bytes int, err error) {
	limits, data := &h.config.Limits, 0
	if len(events) == 0 {
		return 0, nave.Errorf(nave.CodeInvalid, "nothing to publish: the batch is empty")
	}
	if len(events) > limits.Batch {
		return 0, nave.Errorf(nave.CodeTooMany, "the batch has %d events; at most %d are allowed", len(events), limits.Batch)
	}
	for i := range events {
		e := &events[i]
		e.Offset, e.Batch = 0, nave.Position{} // of an event that was read, and is published on
		if err := e.Validate(); err != nil {
			return 0, atEvent(i, len(events), err)
		}
		if len(e.Data) > limits.EventBytes {
			return 0, atEvent(i, len(events), nave.Errorf(nave.CodeTooLarge,
				"data is %d bytes long; at most %d are allowed", len(e.Data), limits.EventBytes))
		}
		bytes += e.Size()
		data += len(e.Data)
	}
	if data > limits.BatchBytes {
		return 0, nave.Errorf(nave.CodeTooLarge, "the data of the batch is %d bytes long; at most %d are allowed", data, limits.BatchBytes)
	}
	return bytes, nil
}

// atEvent says which event of a batch is meant.
func atEvent(i, n int, err error) error {
	if n == 1 {
		return err
	}
	return nave.Errorf(nave.CodeOf(err), "event %d: %w", i, err)
}

// publishOwn publishes to one of the hub's own topics, durably.
func (h *Hub) publishOwn(ctx context.Context, e nave.Event) (eventlog.Outcome, error) {
	if !h.publishers.enter() {
		return eventlog.Outcome{}, h.closed()
	}
	defer h.publishers.leave()
	e.Time = time.Now()
	p := publish{outcome: actors.NewReply[eventlog.Outcome](), batch: eventlog.Batch{Events: []nave.Event{e}}, bytes: e.Size(), accepted: e.Time}
	if err := h.queue(ctx, &p); err != nil {
		return eventlog.Outcome{}, err
	}
	return p.outcome.Wait(ctx)
}

// queue puts the batch into the journal, by the topic of its first event. Here the
// batch gets the time from which the log counts.
func (h *Hub) queue(ctx context.Context, p *publish) error {
	p.batch.Time = h.logTime()
	if err := h.resolve(ctx, p, nil); err != nil {
		return err
	}
	return h.guarded(ctx, p)
}

// admit asks the topic to pass the batch on. One that has left meanwhile is spawned
// anew.
func (h *Hub) admit(ctx context.Context, p *publish) error {
	var dead *topic
	for {
		first := p.topics[0]
		_, err := actors.Ask(ctx, first.ref, func(r actors.Reply[struct{}]) topicMessage {
			p.Reply = r
			return *p
		})
		switch {
		case errors.Is(err, actors.ErrStopped) && first != dead:
			dead = first
			if err := h.resolve(ctx, p, dead); err != nil {
				return err
			}
		case isFull(err):
			return nave.Errorf(nave.CodeBusy, "topic %s has as much waiting as it may hold", first.name).After(time.Second)
		default:
			return err
		}
	}
}

// resolve finds the topics of the batch, that of its first event first, and with
// them its durability: that of its most durable event. It refuses what the hub does
// not take now at that durability.
func (h *Hub) resolve(ctx context.Context, p *publish, dead *topic) error {
	p.topics = p.topics[:0]
	p.batch.Durability = nave.Transient
	for i := range p.batch.Events {
		name := p.batch.Events[i].Topic
		if p.has(name) {
			continue
		}
		t, err := h.topic(ctx, name, dead)
		if err != nil {
			return err
		}
		p.topics = append(p.topics, t)
		p.batch.Durability = max(p.batch.Durability, t.durability)
	}
	if p.batch.Durability > nave.Transient {
		return h.guard.allow()
	}
	return h.allowTransient(p)
}

// allowTransient refuses what the level has given up, and conditions, which no
// transient event can have.
func (h *Hub) allowTransient(p *publish) error {
	if !p.topics[0].name.Reserved() { // the hub's own tell of how it is
		if err := h.given(nave.TransientEvents); err != nil {
			return err
		}
	}
	for i := range p.batch.Events {
		if p.batch.Events[i].IfVersion != nil {
			return atEvent(i, len(p.batch.Events), nave.Errorf(nave.CodeInvalid,
				"ifVersion on topic %s: it is transient, and its keys have no versions", p.batch.Events[i].Topic))
		}
	}
	return nil
}

func (p *publish) has(name nave.Topic) bool {
	for _, t := range p.topics {
		if t.name == name {
			return true
		}
	}
	return false
}

func (h *Hub) published(events []nave.Event, o eventlog.Outcome) Published {
	result := Published{Events: make([]Placed, len(events)), Repeat: o.Repeat}
	for i := range events {
		placed := Placed{ID: events[i].ID}
		if o.First > 0 {
			placed.Offset = o.First + uint64(i)
			if events[i].Key != "" {
				placed.Version = placed.Offset
			}
			result.Cursor = nave.Cursor{Epoch: h.history.Epoch(), Offset: placed.Offset}
		}
		result.Events[i] = placed
	}
	return result
}

// unknownIfEnded gives what no code names one: the caller's deadline, a panic, a
// stop. The batch may or may not have been stored.
func unknownIfEnded(err error) error {
	var panicked *actors.PanicError
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, actors.ErrStopped) || errors.As(err, &panicked) {
		return nave.Errorf(nave.CodeUnavailable,
			"no answer from the log: the event may or may not be stored; try again with the same id: %w", err).After(time.Second)
	}
	return err
}
