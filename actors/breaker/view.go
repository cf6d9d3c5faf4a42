package breaker

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/navehub/nave"
)

// An outcome is how a call went.
type outcome int

const (
	good outcome = iota
	slowly
	failed
	failedSlowly
	outcomes // how many there are
)

func outcomeOf(err error, slow bool) outcome {
	o := good
	if err != nil {
		o += failed
	}
	if slow {
		o += slowly
	}
	return o
}

// counts are of calls, each in one place, so that there are never more failures
// than calls, however they are read.
type counts [outcomes]atomic.Int64

// take empties them.
func (c *counts) take() tally {
	var n [outcomes]int
	for o := range c {
		if c[o].Load() > 0 {
			n[o] = int(c[o].Swap(0))
		}
	}
	return tally{
		calls:  n[good] + n[slowly] + n[failed] + n[failedSlowly],
		failed: n[failed] + n[failedSlowly],
		slow:   n[slowly] + n[failedSlowly],
	}
}

// A view is what callers see of one state. The actor makes a new one with each
// change, so that what began in one state is not counted in the next.
type view struct {
	// Set by the actor, never changed.
	state  State
	since  time.Time
	until  time.Time     // of an open one
	retry  time.Duration // of a half-open one
	detail string        // of refusals

	// Shared.
	probes atomic.Int64 // that may still be made; half-open
	counts counts
}

// permit takes one of the probes, if one is left.
func (v *view) permit() bool { return v.probes.Load() > 0 && v.probes.Add(-1) >= 0 }

// leastRetry keeps those away who would try again at once.
const leastRetry = 100 * time.Millisecond

func (v *view) refusal(now time.Time) error {
	retry := v.retry
	if v.state == Open {
		retry = v.until.Sub(now)
	}
	return &nave.Error{Code: nave.CodeUnavailable, Detail: v.detail, RetryAfter: max(retry, leastRetry)}
}

// describe is what those hear who are refused.
func describe(name string, s State, why string, until time.Time) string {
	switch {
	case s == HalfOpen:
		return fmt.Sprintf("the breaker %s lets a few calls through, to try, since %s", name, why)
	case until.IsZero():
		return fmt.Sprintf("the breaker %s is open: %s", name, why)
	}
	const seconds = "2006-01-02T15:04:05.000Z07:00" // and thousandths, since it may be open for one
	return fmt.Sprintf("the breaker %s is open until %s: %s", name, until.UTC().Format(seconds), why)
}

// A hold is an owner's word that the breaker is open. It never changes.
type hold struct {
	why    string
	until  time.Time
	detail string
}

func newHold(name, why string, until time.Time) *hold {
	return &hold{why, until, describe(name, Open, why, until)}
}

// refusal asks those who are refused to come again within a moment: the owner may
// release it before it said.
func (h *hold) refusal(now time.Time, most time.Duration) error {
	retry := most
	if !h.until.IsZero() {
		retry = min(max(h.until.Sub(now), leastRetry), most)
	}
	return &nave.Error{Code: nave.CodeUnavailable, Detail: h.detail, RetryAfter: retry}
}
