package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// collectsAt is the percentage by which the heap may grow.
func collectsAt() int {
	percent := debug.SetGCPercent(100)
	debug.SetGCPercent(percent)
	return percent
}

func TestGarbageGathersInAStorm(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	const mega = 1 << 20
	p, start := new(pacer), time.Now()
	collected := func(after time.Duration, live uint64, want int) {
		t.Helper()
		p.collected(start.Add(after), live)
		if got := collectsAt(); got != want {
			t.Errorf("after a collection at %v, which leaves %d MB, the heap may grow by %d %%, want %d", after, live/mega, got, want)
		}
	}
	collected(0, 4*mega, gcPercent)
	collected(time.Second, 4*mega, gcPercent)
	collected(time.Second+soon/2, 4*mega, 400)
	collected(time.Second+2*soon, 8*mega, 200) // fewer of them do not end it
	collected(time.Second+2*soon, mega, 400)   // of the 4 that Go takes it for
	collected(time.Second+3*soon, 100*mega, gcPercent)
	collected(time.Second+4*soon, 4*mega, 400)
	if storm, over := p.look(start.Add(time.Second + quiet)); !storm || over {
		t.Errorf("soon after it a storm goes on: %v, and is over: %v", storm, over)
	}
	if storm, over := p.look(start.Add(2*time.Second + quiet)); storm || !over || collectsAt() != gcPercent {
		t.Errorf("long after it a storm goes on: %v, and is over: %v, and the heap may grow by %d %%", storm, over, collectsAt())
	}
	collected(4*time.Second, 4*mega, gcPercent)
}

func TestCollectionsAreNoticed(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	p := new(pacer)
	defer p.end()
	p.watch()
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		runtime.GC()
		if storm, _ := p.look(time.Now()); storm {
			return
		}
		if time.Since(begun) > 10*time.Second {
			t.Fatal("garbage was collected again and again, which is no storm")
		}
	}
}
