//go:build linux

package load

import (
	"math"
	"slices"
)

// A Plan does something at fixed times.
type Plan struct {
	loop  *Loop
	start int64
	every float64 // nanoseconds
	done  int64
	fire  func(due int64)
}

// Every lets fire be called so many times a second, from now on. When the loop
// comes late it is called for every time that was missed, with that time.
func (l *Loop) Every(rate float64, fire func(due int64)) *Plan {
	p := &Plan{loop: l, start: Now(), every: 1e9 / rate, fire: fire}
	l.plans = append(l.plans, p)
	l.next = min(l.next, p.due())
	return p
}

// Stop ends the plan, and does first what is due: a loop that comes late must not
// lose that.
func (p *Plan) Stop() {
	l := p.loop
	l.now = Now()
	l.fire()
	l.plans = slices.DeleteFunc(l.plans, func(o *Plan) bool { return o == p })
	l.next = math.MaxInt64
	for _, p := range l.plans {
		l.next = min(l.next, p.due())
	}
}

func (p *Plan) due() int64 { return p.start + int64(float64(p.done)*p.every) }

// fire does all that is due.
func (l *Loop) fire() {
	if l.now < l.next {
		return
	}
	l.next = math.MaxInt64
	for _, p := range l.plans {
		for due := p.due(); due <= l.now; due = p.due() {
			p.done++
			p.fire(due)
		}
		l.next = min(l.next, p.due())
	}
}
