package actors

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/navehub/nave/supervision"
)

// An Actor handles messages, one at a time. It may fail by panicking.
type Actor[M any] interface {
	Receive(c *Context[M], m M)
}

// A Starter is an actor that is called first in each of its incarnations, on its
// own goroutine. A panic in it is a failure like any other, delay included.
type Starter[M any] interface {
	Started(c *Context[M])
}

// A Stopper is an actor that is called last in each of its incarnations, even in
// one whose Started failed: when the actor ends, or before the next incarnation
// is made. Its children have ended by then. A panic in it is reported and
// changes nothing.
type Stopper interface {
	Stopped()
}

// A Spec says how to make an actor.
type Spec[M any] struct {
	// Kind names the policy and the metrics of the actor.
	Kind supervision.Kind
	// New makes an incarnation. It is called on the actor's goroutine, and may
	// fail as Started may.
	New func() Actor[M]
	// Mailbox bounds what waits. The zero Limits have defaults.
	Mailbox Limits
}

// A Parent is what actors are started under: a [*System], from any goroutine, or
// a [*Context], by the actor that it was given to.
type Parent interface {
	spawner() *System
	adopt(o offspring, name string) error
}

// Spawn starts an actor under p and returns its Ref, which can be used at once.
// The actor's name is name and a serial number, and is never used again. The
// error is [ErrStopped] when p is stopping.
func Spawn[M any](p Parent, name string, spec Spec[M]) (Ref[M], error) {
	if spec.New == nil {
		return Ref[M]{}, errors.New("spawn " + name + ": Spec.New is missing")
	}
	s := p.spawner()
	b := &body[M]{produce: spec.New}
	b.host = s
	b.kind = s.kindOf(spec.Kind)
	b.handler = b
	b.limits = b.kind.limitsOf(spec.Mailbox)
	if err := p.adopt(b, s.unique(name)); err != nil {
		return Ref[M]{}, fmt.Errorf("spawn %s: %w", name, err)
	}
	return Ref[M]{b}, nil
}

// A body is an actor: its cell, and the part that knows the type of its
// messages.
type body[M any] struct {
	cell
	produce func() Actor[M] // never changed

	// Owned by the actor's goroutine.
	current *Context[M] // the incarnation; nil while there is none
	begun   bool
}

func (b *body[M]) core() *cell { return &b.cell }

// Receive implements protoactor's Actor, for the relay of each incarnation.
func (b *body[M]) Receive(c actor.Context) {
	switch c.Message().(type) {
	case *actor.Started:
		b.begin()
	case *actor.Stopped:
		b.host.nursery.restarted(c) // a restart that it has come before
		b.end(supervision.Stop)
		b.finish()
	case *actor.Restarting:
		b.host.nursery.restart(c, b)
	}
}

// A handler handles what is not protoactor's.
type handler interface{ handle(msg any) }

// handle gives a message to the actor without a detour through protoactor, which
// would add nothing: senders, middleware and timeouts are not for messages that
// come by a Ref.
func (b *body[M]) handle(msg any) {
	if t, ok := msg.(*timer[M]); ok {
		if b.current.expire(t) {
			b.current.actor.Receive(b.current, t.message)
		}
		return
	}
	m, _ := msg.(M) // only an M that is a nil interface fails here, and is one again
	b.current.actor.Receive(b.current, m)
}

// begin starts an incarnation, after the one before it has ended: protoactor's
// own Restarting comes before the children have stopped.
func (b *body[M]) begin() {
	b.starting = true
	if b.begun {
		b.end(supervision.Restart)
		b.hold(false)
		b.kind.restarts.Add(1)
	}
	b.begun = true
	c := &Context[M]{body: b, actor: b.produce()}
	b.current = c
	if s, ok := c.actor.(Starter[M]); ok {
		s.Started(c)
	}
	b.starting = false
}

// end ends an incarnation, once.
func (b *body[M]) end(why supervision.Directive) {
	c := b.current
	if c == nil {
		return
	}
	b.current = nil
	c.cancelAll()
	if s, ok := c.actor.(Stopper); ok {
		if err := contain(s.Stopped); err != nil {
			b.report("Stopped", err, why)
		}
	}
}
