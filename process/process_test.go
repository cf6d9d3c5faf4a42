package process

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMeterSeesTheHeapGrow(t *testing.T) {
	m := NewMeter()
	runtime.GC()
	before := m.Look().Heap
	kept := make([]byte, 64<<20)
	runtime.GC()
	if after := m.Look().Heap; after < before+60<<20 {
		t.Errorf("%d bytes are in use, want 64 MiB more than %d", after, before)
	}
	runtime.KeepAlive(kept)
}

func TestMeterSeesGoroutinesWait(t *testing.T) {
	m := NewMeter()
	if got := m.Look().Scheduling; got != 0 {
		t.Errorf("of next to no goroutines %v is said", got)
	}
	var all sync.WaitGroup
	for range 64 * runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for begun := time.Now(); time.Since(begun) < time.Millisecond; {
				runtime.Gosched()
			}
			for begun := time.Now(); time.Since(begun) < time.Millisecond; {
			}
		})
	}
	all.Wait()
	if got := m.Look().Scheduling; got <= 0 || got > 10*time.Second {
		t.Errorf("99 %% of many goroutines waited %v at most", got)
	}
	if got := m.Look().Scheduling; got != 0 {
		t.Errorf("%v is said of what was before the last look", got)
	}
}

func TestTheHundredthPart(t *testing.T) {
	h := &metrics.Float64Histogram{
		Counts:  []uint64{500, 985, 5, 10},
		Buckets: []float64{math.Inf(-1), 0.001, 0.01, 0.1, math.Inf(1)},
	}
	if got := quantile(h, []uint64{500, 0, 0, 0}); got != 10*time.Millisecond {
		t.Errorf("the 99th percentile is %v, want 10 ms: ten of a thousand are above", got)
	}
	if got := quantile(h, []uint64{500, 0, 0, 1}); got != time.Millisecond*10 {
		t.Errorf("the 99th percentile is %v, want 10 ms", got)
	}
	if got := quantile(h, []uint64{500, 900, 5, 0}); got != 0 {
		t.Errorf("of 95 it is %v, want nothing", got)
	}
}

func TestHeapBudget(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 40))
	if got := HeapBudget(); got != 1<<40 {
		t.Errorf("%d, want what GOMEMLIMIT says", got)
	}
	for percent, want := range map[uint64]int64{50: 200, 100: 150, 200: 100, math.MaxUint64: 300} {
		if got := withoutGarbage(300, percent); got != want {
			t.Errorf("of 300, with GOGC=%d, %d may be in use, want %d", percent, got, want)
		}
	}
}
