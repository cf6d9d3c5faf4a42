package supervision

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Directive is what a failure does to the actor that failed.
type Directive uint8

const (
	// Resume goes on with the same incarnation and the next message.
	Resume Directive = iota
	// Restart goes on with a new incarnation. Children are stopped first.
	Restart
	// Stop ends the actor, its children first.
	Stop
	// Escalate stops the actor and leaves the rest to the owner of the system.
	Escalate
)

var directiveNames = [...]string{Resume: "resume", Restart: "restart", Stop: "stop", Escalate: "escalate"}

// String is the name used in logs and metrics.
func (d Directive) String() string {
	if int(d) < len(directiveNames) {
		return directiveNames[d]
	}
	return fmt.Sprintf("directive(%d)", uint8(d))
}

// A Policy says what failures of one kind of actor do.
type Policy struct {
	// On answers a failure, Then those past Max within the time Within.
	On     Directive
	Max    int
	Within time.Duration
	// MinDelay is waited before the first restart within the window. It doubles
	// with each failure, up to MaxDelay, less a random part of at most half.
	MinDelay, MaxDelay time.Duration
	Then               Directive
}

// decide answers the nth failure within the window.
func (p Policy) decide(n int, starting bool) (Directive, time.Duration) {
	d := p.On
	switch {
	case n > p.Max:
		d = p.Then
	case starting && d == Resume:
		d = Restart
	}
	if d != Restart {
		return d, 0
	}
	return d, jitter(p.backoff(n))
}

func (p Policy) backoff(n int) time.Duration {
	d := p.MinDelay
	for ; n > 1 && d < p.MaxDelay; n-- {
		d *= 2
	}
	return min(d, p.MaxDelay)
}

// jitter keeps actors that failed together from coming back together.
func jitter(d time.Duration) time.Duration {
	if d <= 1 {
		return d
	}
	return d - rand.N(d/2)
}
