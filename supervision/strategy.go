package supervision

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// A Failure is one failure of one actor, and what was done about it.
type Failure struct {
	Kind  Kind
	Actor string
	// Message is the type of the message that was being handled, or the name of
	// the life-cycle call.
	Message string
	// Reason is what the actor panicked with.
	Reason any
	Stack  []byte

	Directive Directive
	// Failures counts those within the policy's window, this one included.
	Failures int
	// Delay is how long a restart waits.
	Delay time.Duration
}

// A Crash is how the actors layer hands a failure to the Strategy: as the
// reason of protoactor's own Failure, with the policy's part still empty.
type Crash struct {
	Failure
	// Starting: the incarnation had not begun to take messages.
	Starting bool
	// Record is the failing actor's.
	Record *Record
}

// A Strategy applies the policies to a system's actors. Share one in a system:
// protoactor keeps a process for ever for each that it has seen.
type Strategy struct {
	report func(Failure)
}

var _ actor.SupervisorStrategy = (*Strategy)(nil)

// NewStrategy returns a Strategy that hands each Failure to report, which must
// neither block nor panic: it is called on the goroutine of the failed actor's
// parent, or of the actor itself if it has none.
func NewStrategy(report func(Failure)) *Strategy { return &Strategy{report} }

// HandleFailure implements protoactor's SupervisorStrategy.
func (s *Strategy) HandleFailure(_ *actor.ActorSystem, parent actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any) {
	c, ok := reason.(*Crash)
	if !ok { // not from one of our mailboxes
		c = &Crash{Failure: Failure{Actor: child.Id, Reason: reason}, Record: new(Record)}
	}
	p := PolicyOf(c.Kind)
	f := c.Failure
	f.Failures = c.Record.count(time.Now(), p.Within)
	f.Directive, f.Delay = p.decide(f.Failures, c.Starting)
	switch f.Directive {
	case Resume:
		parent.ResumeChildren(child)
	case Restart:
		c.Record.restart(f.Delay, func() { parent.RestartChildren(child) })
	default:
		// Not parent.EscalateFailure: it would fail the parent, and at the root
		// end the process.
		parent.StopChildren(child)
	}
	s.report(f)
}
