package breaker

import (
	"fmt"
	"math"
	"time"
)

// A machine is the breaker's state and what it follows from. It knows no clock, and
// nobody else: times are passed in, and never go back.
type machine struct {
	config Config
	random func() float64 // from 0 up to 1

	state    State
	since    time.Time
	until    time.Time // open: when it will be half-open
	why      string    // of the latest change
	attempts int       // how often it has opened without having closed
	window   window    // closed
	probes   tally     // half-open
	probing  time.Time // half-open: when the first probe was let through; else zero
	held     *hold
	wrong    error // the latest that a sample found; nil for none
}

func newMachine(config Config, random func() float64, now time.Time) machine {
	m := machine{config: config, random: random}
	m.close(now, "")
	return m
}

// count takes what has been counted in the present state.
func (m *machine) count(now time.Time, t tally) {
	if m.state == HalfOpen {
		m.probes.add(t)
	} else {
		m.window.add(now, t)
	}
}

// probe notes that a probe has been let through.
func (m *machine) probe(now time.Time) {
	if m.state == HalfOpen && m.probing.IsZero() {
		m.probing = now
	}
}

// step changes to the state that is due. It reports whether there was a change.
func (m *machine) step(now time.Time) bool {
	switch {
	case m.held != nil:
		return false
	case m.state == Closed:
		return m.judgeWindow(now)
	case m.state == Open:
		return m.try(now)
	default:
		return m.judgeProbes(now)
	}
}

func (m *machine) judgeWindow(now time.Time) bool {
	t := m.window.sum(now)
	if m.config.Manual || t.calls < m.config.MinCalls {
		return false
	}
	why := m.fault(t, t.calls, "calls")
	if why != "" {
		m.open(now, why)
	}
	return why != ""
}

func (m *machine) try(now time.Time) bool {
	if now.Before(m.until) {
		return false
	}
	m.enter(HalfOpen, now, m.why)
	m.probes, m.probing = tally{}, time.Time{}
	return true
}

func (m *machine) judgeProbes(now time.Time) bool {
	n := m.config.Probes
	why := m.fault(m.probes, n, "probes")
	switch {
	case why != "":
		m.open(now, why)
	case m.probes.calls >= n:
		m.close(now, fmt.Sprintf("%d of %d probes went well", n-m.probes.failed, n))
	case !m.probing.IsZero() && now.Sub(m.probing) >= m.config.Window:
		m.open(now, fmt.Sprintf("%d of %d probes did not come back within %v", n-m.probes.calls, n, m.config.Window))
	default:
		return false
	}
	return true
}

// fault is what is wrong with so many calls of n, or "".
func (m *machine) fault(t tally, n int, what string) string {
	c := &m.config
	switch {
	case m.wrong != nil && float64(t.failed) >= c.ErrorRate*float64(n):
		return fmt.Sprintf("%d of %d looks found something wrong, at last %v", t.failed, n, m.wrong)
	case float64(t.failed) >= c.ErrorRate*float64(n):
		return fmt.Sprintf("%d of %d %s failed", t.failed, n, what)
	case c.SlowCall > 0 && float64(t.slow) >= c.SlowRate*float64(n):
		return fmt.Sprintf("%d of %d %s took longer than %v", t.slow, n, what, c.SlowCall)
	}
	return ""
}

// hold follows the owner. It reports whether there was a change.
func (m *machine) hold(now time.Time, h *hold) bool {
	before := m.held
	m.held = h
	switch {
	case h == before:
		return false
	case h == nil:
		m.close(now, "it was released")
		return true
	}
	m.until = h.until
	changed := m.state != Open || m.why != h.why
	if changed {
		m.enter(Open, now, h.why)
	}
	return changed
}

// reset closes it for an operator, unless it is held. It reports whether there was
// a change.
func (m *machine) reset(now time.Time, why string) bool {
	if m.held != nil {
		return false
	}
	changed := m.state != Closed
	m.close(now, why)
	return changed
}

func (m *machine) enter(s State, now time.Time, why string) { m.state, m.since, m.why = s, now, why }

func (m *machine) open(now time.Time, why string) {
	m.attempts++
	m.enter(Open, now, why)
	m.until = now.Add(m.config.openFor(m.attempts, m.random()))
}

func (m *machine) close(now time.Time, why string) {
	m.enter(Closed, now, why)
	m.attempts, m.until = 0, time.Time{}
	m.window = newWindow(now, m.config.Window)
}

// openFor is how long the breaker stays open the nth time in a row. A third of it
// is left to chance, so that those that opened together do not try together.
func (c *Config) openFor(n int, random float64) time.Duration {
	longest := min(math.Ldexp(1.5*float64(c.Open), n-1), float64(c.MaxOpen))
	return max(time.Duration(longest*(1-random/3)), c.Open)
}

// figures are of the calls that the state follows from.
func (m *machine) figures(now time.Time) tally {
	if m.state == HalfOpen {
		return m.probes
	}
	return m.window.sum(now)
}

// next is when step has to be called if nothing is counted before; never, if ok is
// false.
func (m *machine) next(now time.Time) (in time.Duration, ok bool) {
	switch {
	case m.held != nil:
		return 0, false
	case m.state == Open:
		return max(m.until.Sub(now), 0), true
	case m.state == HalfOpen:
		return max(m.probing.Add(m.config.Window).Sub(now), 0), !m.probing.IsZero()
	default:
		return m.window.left(now), m.window.sum(now) != tally{}
	}
}
