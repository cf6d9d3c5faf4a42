package telemetry

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// What follows can be read back, by whoever decides by it: instruments of
// OpenTelemetry cannot. It is counted whether there are meters or not.

// counted is what is read back, from the start of the process on.
type counted struct {
	publishes, events, overloaded, refused atomic.Uint64

	topic, append, queue, propagation spread
}

// A spread counts durations by buckets, eight for each doubling from 8 µs on: a
// quantile is off by some hundredths. To record is one atomic addition.
type spread [buckets]atomic.Uint64

const (
	buckets = 208
	// unit is 1,024 ns; what is longer than 274 s is in the last bucket.
	unitBits = 10
	subBits  = 3
	subs     = 1 << subBits
)

func (s *spread) record(d time.Duration) { s[bucketOf(d)].Add(1) }

func bucketOf(d time.Duration) int {
	units := uint64(max(d, 0)) >> unitBits
	if units < subs {
		return int(units)
	}
	shift := bits.Len64(units) - subBits - 1
	return min(shift*subs+int(units>>shift), buckets-1)
}

// bounds are what is in a bucket: from low up to low and width.
func bounds(bucket int) (low, width time.Duration) {
	if bucket < subs {
		return time.Duration(bucket) << unitBits, 1 << unitBits
	}
	shift := bucket/subs - 1
	return time.Duration(bucket%subs+subs) << shift << unitBits, 1 << shift << unitBits
}

// Latencies are the durations of a while.
type Latencies [buckets]uint64

// Count is how many there were.
func (l *Latencies) Count() (n uint64) {
	for _, c := range l {
		n += c
	}
	return n
}

// Quantile is what the part q of them, from 0 to 1, did not exceed; 0 if there were none.
func (l *Latencies) Quantile(q float64) time.Duration {
	rank := q * float64(l.Count())
	below := 0.0
	for bucket, c := range l {
		n := float64(c)
		if n > 0 && below+n >= rank {
			low, width := bounds(bucket)
			return low + time.Duration(float64(width)*(rank-below)/n)
		}
		below += n
	}
	return 0
}

// Recent is what happened within a while.
type Recent struct {
	// Over is how long that was.
	Over time.Duration
	// Publishes were answered with yes, and had so many Events.
	Publishes, Events uint64
	// Refused publishes were answered with no, Overloaded of them since the hub as a
	// whole is over its capacity.
	Refused, Overloaded uint64
	// Delivered events were written to clients.
	Delivered uint64
	// Topic is how long publishes waited in their topics' mailboxes, Append how long
	// groups took to be committed, Queue how long it was from an event being offered
	// to a client to its socket write, and Propagation from its being accepted. The
	// last two are of live events, of every eighth write of a client.
	Topic, Append, Queue, Propagation Latencies
}

// windowLength is how many slides a Window looks back.
const windowLength = 10

// A Window looks back on what Telemetry was told of. It is for one goroutine.
type Window struct {
	t      *Telemetry
	past   [windowLength + 1]Recent // from the start of the process on, up to each slide
	newest int
	slides int
}

// Window is one that sees what happens from now on.
func (t *Telemetry) Window() *Window {
	w := &Window{t: t}
	w.past[0] = t.total()
	return w
}

// Slide goes on by what has happened in the time since the last call.
func (w *Window) Slide(passed time.Duration) {
	before := w.past[w.newest].Over
	w.newest = (w.newest + 1) % len(w.past)
	w.slides = min(w.slides+1, windowLength)
	w.past[w.newest] = w.t.total()
	w.past[w.newest].Over = before + passed
}

// Last is what happened within the last n slides, of at most ten.
func (w *Window) Last(n int) Recent {
	n = min(n, w.slides)
	r := w.past[w.newest]
	from := &w.past[(w.newest+len(w.past)-n)%len(w.past)]
	r.Over -= from.Over
	r.Publishes -= from.Publishes
	r.Events -= from.Events
	r.Refused -= from.Refused
	r.Overloaded -= from.Overloaded
	r.Delivered -= from.Delivered
	r.Topic.less(&from.Topic)
	r.Append.less(&from.Append)
	r.Queue.less(&from.Queue)
	r.Propagation.less(&from.Propagation)
	return r
}

func (l *Latencies) less(o *Latencies) {
	for i := range l {
		l[i] -= o[i]
	}
}

func (t *Telemetry) total() (r Recent) {
	c := &t.counted
	r.Publishes, r.Events = c.publishes.Load(), c.events.Load()
	r.Refused, r.Overloaded = c.refused.Load(), c.overloaded.Load()
	for i := range t.delivered {
		r.Delivered += uint64(t.delivered[i].Load())
	}
	c.topic.read(&r.Topic)
	c.append.read(&r.Append)
	c.queue.read(&r.Queue)
	c.propagation.read(&r.Propagation)
	return r
}

func (s *spread) read(into *Latencies) {
	for i := range s {
		into[i] = s[i].Load()
	}
}
