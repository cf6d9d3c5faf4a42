package hub

import (
	"cmp"
	"time"

	"github.com/navehub/nave"
)

// Levels say how the hub comes by its service level. The zero Levels are ready for use.
type Levels struct {
	// Manual leaves the level to operators and to Config.Level. What speaks for
	// another is said all the same.
	Manual bool
	// Memory is how many bytes of the heap may be in use.
	//
	// Defaults to what GOMEMLIMIT or the control group lets the process have; without
	// either, memory does not bear on the level.
	Memory int64
	// Propagation is from when on events are late: if 1 % of them take longer, the
	// level becomes shed, and with five times as much conserve. It becomes polling if
	// half of them take thirty times as long.
	//
	// Defaults to 100 milliseconds.
	Propagation time.Duration
	// Hold is how long all has to be calm, at least, before the level gets better by
	// one. It doubles, up to eight times as much, when the level has got worse again
	// soon after it got better.
	//
	// Defaults to 15 seconds.
	Hold time.Duration
}

func (l Levels) withDefaults() Levels {
	l.Propagation = cmp.Or(l.Propagation, 100*time.Millisecond)
	l.Hold = cmp.Or(l.Hold, 15*time.Second)
	return l
}

const (
	// dwell is what a level is held for, at least, before it gets worse: what has been
	// given up takes a moment to be felt.
	dwell = 2 * time.Second
	// relapse is how long after it got better it is too soon to get worse again, at
	// least: twice the hold, if that is more.
	relapse = time.Minute
	// longestHold is how many times longer than configured a hold may become.
	longestHold = 8
)

// A reading is what one signal says at one moment.
type reading struct {
	asks  nave.Level    // the hub should be as bad as that,
	after time.Duration // once it has been asked for so long,
	holds nave.Level    // and no better than this: never better than asks
}

// A machine is the service level and what it follows from. It knows no clock, and
// nobody else: times are passed in, and never go back.
//
// It goes to what the worst of the signals asks for, one level at a time. For the
// better it waits until no signal holds it, for as long as rest, for every level anew.
type machine struct {
	hold  time.Duration // as configured
	floor nave.Level    // the best that may be held

	level  nave.Level
	since  time.Time
	pinned bool
	wanted nave.Level // by the signals
	asking []askings  // by signal
	calm   time.Time  // since when nothing holds the level; zero while something does
	rest   time.Duration
	rose   bool // the latest change was for the better, by itself
}

// askings are since when one signal asks for each level, or for a worse one; zero if it
// does not.
type askings [5]time.Time

func newMachine(config Levels, floor nave.Level, now time.Time) machine {
	return machine{
		hold: config.Hold, floor: floor,
		level: floor, since: now, wanted: floor, rest: config.Hold,
	}
}

// step changes to the level that is due. It reports whether there was a change.
func (m *machine) step(now time.Time, readings []reading) bool {
	held := m.read(now, readings)
	switch {
	case m.pinned:
		return false
	case m.wanted != m.level && m.wanted.AtLeast(m.level) && now.Sub(m.since) >= dwell:
		m.worsen(now)
		return true
	case held.AtLeast(m.level):
		m.calm = time.Time{}
		return false
	case m.calm.IsZero():
		m.calm = now
	}
	if now.Sub(m.calm) < m.rest || now.Sub(m.since) < m.rest {
		return false
	}
	m.enter(nave.Levels[m.level.Number()-1], now)
	m.rose = true
	return true
}

// read notes what the signals ask for, and returns the level that they hold.
func (m *machine) read(now time.Time, readings []reading) (held nave.Level) {
	if m.asking == nil {
		m.asking = make([]askings, len(readings))
	}
	m.wanted, held = m.floor, m.floor
	for i, r := range readings {
		held = held.Worse(r.holds)
		for n, l := range nave.Levels {
			since := &m.asking[i][n]
			switch {
			case !r.asks.AtLeast(l):
				*since = time.Time{}
				continue
			case since.IsZero():
				*since = now
			}
			if now.Sub(*since) >= r.after {
				m.wanted = m.wanted.Worse(l)
			}
		}
	}
	return held
}

func (m *machine) worsen(now time.Time) {
	if m.rose {
		if now.Sub(m.since) < max(relapse, 2*m.rest) {
			m.rest = min(2*m.rest, longestHold*m.hold)
		} else {
			m.rest = m.hold
		}
	}
	m.enter(nave.Levels[m.level.Number()+1], now)
	m.rose = false
}

func (m *machine) enter(l nave.Level, now time.Time) {
	if l != m.level {
		m.level, m.since = l, now
	}
}

// pin holds a level, whatever the signals say.
func (m *machine) pin(l nave.Level, now time.Time) {
	m.pinned, m.rose, m.calm = true, false, time.Time{}
	m.enter(l.Worse(m.floor), now)
}

// lift ends that. What is better since nothing speaks against it is so at once; what is
// worse comes one level at a time.
func (m *machine) lift(now time.Time) {
	if m.pinned {
		m.pinned = false
		m.enter(m.level.Better(m.wanted), now)
	}
}

// atLeast is how long the level will not get better; 0 if nobody knows, or it cannot.
func (m *machine) atLeast() time.Duration {
	if m.pinned || m.level == m.floor {
		return 0
	}
	return m.rest
}
