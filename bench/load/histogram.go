package load

import (
	"math/bits"
	"time"
)

// Every power of two has this many buckets, so that a percentile is right to 1.6 %.
const (
	subBits    = 6
	subBuckets = 1 << subBits
)

// A Histogram counts durations. The zero Histogram is empty.
type Histogram struct {
	counts [(64 - subBits) * subBuckets]int64
	n      int64
	max    int64
}

// Record counts one of ns nanoseconds.
func (h *Histogram) Record(ns int64) {
	ns = max(ns, 0)
	h.counts[bucket(ns)]++
	h.n++
	h.max = max(h.max, ns)
}

func bucket(ns int64) int {
	shift := max(0, bits.Len64(uint64(ns))-subBits-1)
	return shift<<subBits + int(ns>>shift)
}

// N is how many were counted.
func (h *Histogram) N() int64 { return h.n }

// Max is the longest.
func (h *Histogram) Max() time.Duration { return time.Duration(h.max) }

// At is the duration that so many percent do not exceed; 0 if there are none.
func (h *Histogram) At(percent float64) time.Duration {
	rank := int64(percent/100*float64(h.n-1)) + 1
	for i, count := range h.counts {
		if rank -= count; rank <= 0 && h.n > 0 {
			return time.Duration(min(top(i), h.max))
		}
	}
	return 0
}

// top is the longest duration of a bucket.
func top(i int) int64 {
	if i < 2*subBuckets {
		return int64(i)
	}
	shift := i>>subBits - 1
	return int64(i-shift<<subBits+1)<<shift - 1
}

// A Window counts how long things took that were due within a stretch of time,
// whenever they were over.
type Window struct {
	Histogram
	From, Until int64
}

func (w *Window) record(due, now int64) {
	if w != nil && w.From <= due && due < w.Until {
		w.Record(now - due)
	}
}
