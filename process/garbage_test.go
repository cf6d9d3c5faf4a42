package process

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

const mega = 1 << 20

// mayGrow is the percentage by which the heap may grow.
func mayGrow() int {
	percent := debug.SetGCPercent(100)
	debug.SetGCPercent(percent)
	return percent
}

func TestGarbageGathersInAStorm(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	g, now := &Garbage{growth: stormGrowth}, time.Now()
	collected := func(after time.Duration, live uint64, want int) {
		t.Helper()
		now = now.Add(after)
		g.collected(now, live)
		if got := mayGrow(); got != want {
			t.Errorf("with %d MB in use the heap may grow by %d %%, want %d", live/mega, got, want)
		}
	}
	collected(0, 4*mega, gcPercent)
	for range 3 { // now and then some come together
		for range stormAt - 1 {
			collected(soon/2, 4*mega, gcPercent)
		}
		collected(soon, 4*mega, gcPercent)
	}
	for range stormAt - 1 {
		collected(soon/2, 4*mega, gcPercent)
	}
	collected(soon/2, 4*mega, 400)
	collected(3*soon, 8*mega, 200) // fewer of them do not end it
	collected(soon, mega, 400)     // of the 4 that Go takes it for
	collected(soon, 100*mega, gcPercent)
	collected(soon, 4*mega, 400)
	if storm, over := g.calm(now.Add(quiet)); !storm || over {
		t.Errorf("soon after it a storm goes on: %v, and is over: %v", storm, over)
	}
	if storm, over := g.calm(now.Add(quiet + 1)); storm || !over || mayGrow() != gcPercent {
		t.Errorf("long after it a storm goes on: %v, and is over: %v, and the heap may grow by %d %%", storm, over, mayGrow())
	}
	collected(soon/2, 4*mega, gcPercent)
}

func TestGarbageLeavesRoomInAGroup(t *testing.T) {
	for limit, want := range map[int64]uint64{0: stormGrowth, 64 * mega: 4 * mega, 1 << 30: stormGrowth} {
		if got := growthWithin(limit); got != want {
			t.Errorf("in a group of %d MB the heap may grow by %d MB, want %d", limit/mega, got/mega, want/mega)
		}
	}
}

// Collections of the process itself make a storm, as long as they are minded.
func TestMind(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	undo := CollectOften().Mind()
	for begun := time.Now(); mayGrow() == gcPercent; time.Sleep(time.Millisecond) {
		runtime.GC()
		if time.Since(begun) > 10*time.Second {
			t.Fatal("garbage was collected again and again, which is no storm")
		}
	}
	undo()
	if got := mayGrow(); got != gcPercent {
		t.Errorf("once it is undone the heap may grow by %d %%, want %d", got, gcPercent)
	}
	for range 3 * stormAt {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	if got := mayGrow(); got != gcPercent {
		t.Errorf("long after it is undone the heap may grow by %d %%, want %d", got, gcPercent)
	}
}

func TestCollectOftenLeavesItToWhoKnowsBetter(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(123))
	t.Setenv("GOGC", "123")
	g := CollectOften()
	g.Mind()()
	if got := mayGrow(); g != nil || got != 123 {
		t.Errorf("with GOGC=123 the heap may grow by %d %%", got)
	}
}

func TestMemoryIsGivenBack(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	left := func() uint64 {
		b := make([]byte, 64*mega)
		for i := range b {
			b[i] = 1
		}
		runtime.KeepAlive(b)
		runtime.GC()
		_, rest := heap()
		return rest
	}
	for name, g := range map[string]*Garbage{
		"without a storm": {},
		"after a storm":   {storm: true, last: time.Now().Add(-2 * quiet)},
	} {
		before := left()
		g.look(time.Now())
		if _, after := heap(); before < 48*mega || after > worthwhile {
			t.Errorf("%s: the process keeps %d MB more than it uses, and %d before", name, after/mega, before/mega)
		}
	}
	before := left()
	(&Garbage{storm: true, last: time.Now()}).look(time.Now())
	if _, after := heap(); after < before/2 {
		t.Errorf("in a storm memory is given back: %d of %d MB are left", after/mega, before/mega)
	}
}
