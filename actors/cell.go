package actors

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/navehub/nave/supervision"
)

// throughput is how many messages an actor handles before it lets others run.
// protoactor's 300 makes the hundredth busy actor wait for milliseconds.
const throughput = 32

var (
	stopOrder = new(actor.Stop)
	errGoexit = errors.New("runtime.Goexit was called")
)

// A cell is the part of an actor that outlives its incarnations and does not
// depend on the type of its messages. To protoactor it is the actor's mailbox.
type cell struct {
	mailbox

	// Set before the actor's first message, never changed.
	host    *System
	kind    *kind
	context protoContext // handles system messages
	handler handler      // of all others

	// Owned by System.mu.
	prev, next *cell

	// Guarded by mailbox.mu: closed when the actor has ended, made on demand.
	done chan struct{}

	// Owned by the actor's goroutine.
	record   *supervision.Record
	starting bool

	top bool // has no parent; set before the actor's first message, never changed
}

// A protoContext is protoactor's part of an actor.
type protoContext interface {
	actor.Context
	actor.MessageInvoker
}

var _ actor.Mailbox = (*cell)(nil)

func (c *cell) wakeIf(wake bool) {
	if wake {
		c.host.pool.run(c)
	}
}

// tell is Ref.Tell.
func (c *cell) tell(msg any) error {
	wake, err := c.push(msg)
	if _, prompt := msg.(Prompt); wake && prompt {
		c.run(true)
	} else {
		c.wakeIf(wake)
	}
	return err
}

func (c *cell) stop() { c.PostSystemMessage(stopOrder) }

func (c *cell) name() string { return c.context.Self().Id }

// PostUserMessage implements protoactor's Mailbox. Nothing comes this way:
// senders hold Refs, which hold the cell.
func (c *cell) PostUserMessage(any) {}

// PostSystemMessage implements protoactor's Mailbox.
func (c *cell) PostSystemMessage(msg any) { c.wakeIf(c.pushSystem(msg)) }

// RegisterHandlers implements protoactor's Mailbox.
func (c *cell) RegisterHandlers(actor.MessageInvoker, actor.Dispatcher) {
	c.mu.Lock()
	c.bound = true
	c.mu.Unlock()
}

// Start implements protoactor's Mailbox.
func (c *cell) Start() {}

// UserMessageCount implements protoactor's Mailbox.
func (c *cell) UserMessageCount() int { return c.waiting() }

// run handles messages until none is left, or one fails. On a goroutine that is
// lent by a teller it handles only what is prompt, and not for long; all else it
// leaves to a goroutine of the actor's own.
func (c *cell) run(lent bool) {
	var (
		msg  any
		from lane
		done bool
	)
	defer func() {
		if !done {
			defer c.goOn(from)
			c.failed(recover(), msg, from)
		}
	}()
	for n := 1; ; n++ {
		if n%throughput == 0 {
			if lent {
				done = true
				c.host.pool.run(c)
				return
			}
			runtime.Gosched()
		}
		switch msg, from = c.pick(lent); from {
		case noLane:
			done = true
			return
		case otherLane:
			done = true
			c.host.pool.run(c)
			return
		case systemLane:
			if _, stop := msg.(*actor.Stop); stop {
				c.abandon()
			}
			c.context.InvokeSystemMessage(msg)
		default:
			c.handler.handle(msg)
		}
	}
}

// goOn lets another goroutine go on after a failure, since Goexit ends this one.
// If protoactor's handling of a stop was torn down, it is begun and ended anew.
func (c *cell) goOn(from lane) {
	c.mu.Lock()
	if from == systemLane && c.closed && !c.ended {
		c.system.push(stopOrder)
		c.system.push(&actor.Terminated{Who: c.context.Self()})
	}
	c.mu.Unlock()
	c.host.pool.run(c)
}

// failed hands a failure to the supervisor. The mailbox is then suspended until
// the directive comes, as a system message.
func (c *cell) failed(reason, msg any, from lane) {
	if reason == nil { // neither a panic nor a return
		reason = errGoexit
	}
	err := &PanicError{Reason: reason, Stack: debug.Stack()}
	what := typeName(msg)
	if c.starting {
		what = "Started"
	}
	if c.isClosed() { // there is nothing left to decide
		c.report(what, err, supervision.Stop)
	} else {
		c.escalate(what, err)
	}
	if from != systemLane {
		c.fail(msg, err)
	}
}

func (c *cell) escalate(what string, err *PanicError) {
	if c.record == nil {
		c.record = new(supervision.Record)
	}
	c.context.EscalateFailure(&supervision.Crash{
		Failure: c.failure(what, err), Starting: c.starting, Record: c.record,
	}, nil)
}

// abandon fails the backlog.
func (c *cell) abandon() {
	for {
		msg, ok := c.leftover()
		if !ok {
			return
		}
		c.fail(msg, ErrStopped)
	}
}

// fail tells those who wait for a message.
func (c *cell) fail(msg any, why error) {
	f, ok := msg.(Failable)
	if !ok {
		return
	}
	if err := contain(func() { f.Fail(why) }); err != nil {
		c.report(typeName(msg), err, supervision.Resume)
	}
}

// finish ends the actor, after its last incarnation.
func (c *cell) finish() {
	if c.record != nil {
		c.record.Close()
	}
	c.host.remove(c)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.done != nil {
		close(c.done)
	}
}

// finished returns a channel that is closed when the actor has ended.
func (c *cell) finished() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.ended {
			close(c.done)
		}
	}
	return c.done
}

// report tells of a panic that was contained.
func (c *cell) report(what string, err *PanicError, d supervision.Directive) {
	f := c.failure(what, err)
	f.Directive = d
	c.host.report(f)
}

func (c *cell) failure(what string, err *PanicError) supervision.Failure {
	return supervision.Failure{
		Kind: c.kind.name, Actor: c.name(), Message: what, Reason: err.Reason, Stack: err.Stack,
	}
}

func typeName(msg any) string {
	if t, ok := msg.(interface{ inner() any }); ok {
		msg = t.inner()
	}
	return fmt.Sprintf("%T", msg)
}
