// Package receipt works out how long events took to reach a client, from what that says
// of them by a clock of its own.
//
// Four moments count, two by each clock:
//
//	hub     committed ────────────────────────────▶ arrived
//	              ╲ down                      up ╱
//	client         ▼ received ──── held ───▶ sent
//
// What a clock says of a span of time is good, whatever it says of the time of day. So
// arrived−committed less sent−received is exactly down + up, and down, which is asked
// for, lies between nothing and that. It is the same up for all receipts of a report, so
// the quickest of them bounds it for all: that is the bound of the error, and nobody need
// be believed for it. Within it the client's own estimate of its clock decides; without
// one the middle does.
//
// That leaves: a clock that is set, or stands still, between received and sent, and one
// that is coarse, by what it is coarse.
package receipt

import (
	"math"
	"time"
)

const (
	// Most is how many receipts a report has at most.
	Most = 100
	// Longest is the longest that an event may have taken: beyond it a clock has been
	// set, or a machine has slept.
	Longest = time.Minute
	// coarse is by how much a browser may round each time that it gives a page.
	coarse = time.Millisecond
)

// A Report is what a client says, in one request. Its times are by the client's clock,
// in milliseconds since 1970.
type Report struct {
	Connection uint64 // 0 if it does not say
	Arrived    time.Time
	Sent       float64
	// Offset is the hub's clock less the client's, in milliseconds, as far as the client
	// knows, which is to within Uncertainty; nil if it does not.
	Offset, Uncertainty *float64
	Receipts            []Receipt
}

// A Receipt says of one event, named by its offset, when the client has received it, and
// rendered it; 0 if it has not.
type Receipt struct {
	Event              uint64
	Received, Rendered float64
}

// An Event is what the hub knows of it: when it was accepted, and when it was committed,
// before which nobody can have received it.
type Event struct{ Accepted, Committed time.Time }

// A Latency is how long an event took.
type Latency struct {
	// Received and Rendered count from when the hub accepted the event; Rendered is 0 if
	// it was not.
	Received, Rendered time.Duration
	// Error bounds how far off both are.
	Error time.Duration
	// Moved says that the client's estimate of its clock cannot be right.
	Moved bool
}

// Measure works out the latencies of a report's receipts, of these events in their order.
// Those are nil that cannot be true.
func Measure(r Report, events []Event) []*Latency {
	both := make([]time.Duration, len(r.Receipts)) // down and up; negative if it cannot be true
	most := time.Duration(math.MaxInt64)
	for i, one := range r.Receipts {
		both[i] = r.both(one, events[i].Committed)
		if both[i] >= 0 {
			most = min(most, both[i])
		}
	}
	up, bound, moved := r.up(most)
	all := make([]*Latency, len(both))
	for i, one := range r.Receipts {
		received := events[i].Committed.Sub(events[i].Accepted) + both[i] - up
		if both[i] < 0 || received > Longest {
			continue
		}
		l := &Latency{Received: received, Error: bound, Moved: moved}
		if one.Rendered != 0 {
			if l.Rendered = l.Received + milliseconds(one.Rendered-one.Received); l.Rendered > Longest {
				continue
			}
		}
		all[i] = l
	}
	return all
}

// both is how long an event took to the client, and the report from there.
func (r *Report) both(one Receipt, committed time.Time) time.Duration {
	held := milliseconds(r.Sent - one.Received)
	rendered := one.Rendered == 0 || one.Received <= one.Rendered && one.Rendered <= r.Sent
	if held < 0 || !rendered {
		return -1
	}
	both := r.Arrived.Sub(committed) - held
	if both < 0 && both >= -2*coarse {
		return 0
	}
	return both
}

// up is how long the report took, at most most, and how far that may be off.
func (r *Report) up(most time.Duration) (up, bound time.Duration, moved bool) {
	if r.Offset == nil {
		return most / 2, most - most/2, false
	}
	says := milliseconds(float64(r.Arrived.UnixMicro())/1000 - r.Sent - *r.Offset)
	up = min(max(says, 0), most)
	bound = max(up, most-up)
	off := max(up-says, says-up)
	if r.Uncertainty == nil {
		return up, bound, off > 2*coarse
	}
	uncertainty := max(milliseconds(*r.Uncertainty), 0)
	if off > uncertainty+2*coarse {
		return up, bound, true
	}
	return up, min(bound, uncertainty), false
}

// milliseconds does not overflow.
func milliseconds(ms float64) time.Duration {
	const most = float64(math.MaxInt64) / 2
	return time.Duration(min(max(ms*float64(time.Millisecond), -most), most))
}
