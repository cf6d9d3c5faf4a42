// Package process says what the process uses, and what it may: memory, processors,
// files. It reads the Go runtime and, on Linux, /proc and the control groups. It also
// says when garbage is collected, if a program that has the process to itself asks for
// that.
//
// Nothing here blocks. A figure that nobody knows is 0.
package process

import (
	"math"
	"runtime/metrics"
	"time"
)

const (
	heapLive  = "/gc/heap/live:bytes"
	growth    = "/gc/gogc:percent"
	limit     = "/gc/gomemlimit:bytes"
	schedules = "/sched/latencies:seconds"
)

// A Usage is what the process uses at one moment.
type Usage struct {
	// Heap is how many bytes were in use when garbage was last collected. What has
	// become garbage since is not among them, so it does not go up and down with it.
	Heap int64
	// Scheduling is what 99 % of the goroutines that could run did not exceed in
	// waiting for a processor, since the last look; 0 if they were too few to say.
	Scheduling time.Duration
}

// A Meter looks at the process, now and then. It is for one goroutine.
type Meter struct {
	samples []metrics.Sample
	before  []uint64 // of the scheduling latencies
}

// NewMeter makes one.
func NewMeter() *Meter {
	m := &Meter{samples: []metrics.Sample{{Name: heapLive}, {Name: schedules}}}
	m.Look()
	return m
}

// Look is a look at the process.
func (m *Meter) Look() Usage {
	metrics.Read(m.samples)
	u := Usage{Heap: int64(m.samples[0].Value.Uint64())}
	waits := m.samples[1].Value.Float64Histogram()
	if m.before == nil {
		m.before = make([]uint64, len(waits.Counts))
	} else {
		u.Scheduling = quantile(waits, m.before)
	}
	copy(m.before, waits.Counts)
	return u
}

// fewest is how many waits there must be for a percentile to mean something.
const fewest = 200

// quantile is the 99th percentile of what was counted since before.
func quantile(h *metrics.Float64Histogram, before []uint64) time.Duration {
	n := uint64(0)
	for i, c := range h.Counts {
		n += c - before[i]
	}
	if n < fewest {
		return 0
	}
	above := n / 100
	for i := len(h.Counts) - 1; i >= 0; i-- {
		c := h.Counts[i] - before[i]
		if c > above {
			low := max(h.Buckets[i], 0) // the first bucket begins at minus infinity
			return time.Duration(low * float64(time.Second))
		}
		above -= c
	}
	return 0
}

// HeapBudget is how many bytes of the heap may be in use: as many as GOMEMLIMIT says,
// or else as fit into the control group once garbage has been added to them.
func HeapBudget() int64 {
	samples := []metrics.Sample{{Name: limit}, {Name: growth}}
	metrics.Read(samples)
	if most := samples[0].Value.Uint64(); most < math.MaxInt64 {
		return int64(most)
	}
	return withoutGarbage(groupLimit(), samples[1].Value.Uint64())
}

// withoutGarbage is how much of some memory may be in use, if the heap grows by so many
// hundredths of that before garbage is collected.
func withoutGarbage(memory int64, percent uint64) int64 {
	if percent > 1000 { // it is switched off
		return memory
	}
	return int64(float64(memory) * 100 / float64(100+percent))
}
