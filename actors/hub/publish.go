package hub

import (
	"context"
	"errors"
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
	start := time.Now()
	result, durability, err := h.publish(ctx, start, events)
	if err != nil {
		h.telemetry.Refused(nave.CodeOf(err))
		var conflict *nave.ConflictError
		if errors.As(err, &conflict) {
			h.telemetry.Conflicted(len(conflict.Conflicts))
		}
		return Published{}, err
	}
	if !result.Repeat {
		h.telemetry.Published(durability, len(events), time.Since(start))
	}
	return result, nil
}

func (h *Hub) publish(ctx context.Context, start time.Time, events []nave.Event) (Published, nave.Durability, error) {
	if !h.publishers.enter() {
		return Published{}, 0, h.closed()
	}
	defer h.publishers.leave()
	bytes, err := h.checkBatch(events)
	if err != nil {
		return Published{}, 0, err
	}
	ctx, span := h.telemetry.StartPublish(ctx, events)
	defer span.End()
	for i := range events {
		if events[i].Time.IsZero() {
			events[i].Time = start
		}
	}
	p := publish{
		batch:    eventlog.Batch{Events: events},
		bytes:    bytes,
		accepted: start,
		trace:    trace.SpanContextFromContext(ctx),
	}
	outcome, err := h.submit(ctx, &p)
	if err != nil {
		return Published{}, 0, unknownIfEnded(err)
	}
	return h.published(events, outcome), p.batch.Durability, nil
}

func (h *Hub) checkBatch(events []nave.Event) (bytes int, err error) {
	limits := &h.config.Limits
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
	}
	if bytes > limits.BatchBytes {
		return 0, nave.Errorf(nave.CodeTooLarge, "the batch takes %d bytes; at most %d are allowed", bytes, limits.BatchBytes)
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

// submit queues the batch with the topic of its first event and waits. A topic
// that has left meanwhile is spawned anew. Here the batch gets the time from which
// the log counts.
func (h *Hub) submit(ctx context.Context, p *publish) (eventlog.Outcome, error) {
	p.batch.Time = h.logTime()
	var dead *topic
	for {
		if err := h.resolve(ctx, p, dead); err != nil {
			return eventlog.Outcome{}, err
		}
		first := p.topics[0]
		outcome, err := actors.Ask(ctx, first.ref, func(r actors.Reply[eventlog.Outcome]) topicMessage {
			asked := *p
			asked.Reply = r
			return asked
		})
		switch {
		case errors.Is(err, actors.ErrStopped) && first != dead:
			dead = first
		case isFull(err):
			return outcome, nave.Errorf(nave.CodeBusy, "topic %s has as much waiting as it may hold", first.name).After(time.Second)
		default:
			return outcome, err
		}
	}
}

// resolve finds the topics of the batch, that of its first event first, and with
// them its durability: that of its most durable event.
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
		return nil
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
