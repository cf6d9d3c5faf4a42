package process

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// gcPercent collects garbage twice as often as Go would.
	gcPercent = 50
	// soon after the last collection another one may be a storm's, and stormAt such in
	// a row are. The heap may grow by stormGrowth then, if that is more: half of a heap
	// of 3 MB is collected so often that a thousand clients that return spend most of
	// the processor on it.
	soon        = 50 * time.Millisecond
	stormAt     = 4
	stormGrowth = 16 << 20
	// goHeap is what Go takes a smaller heap for, when it adds a percentage.
	goHeap = 4 << 20
	// quiet is how long nothing must have been collected for a storm to be over.
	quiet = time.Second
	// lookEvery is how long memory that a storm leaves behind is kept. Go gives it
	// back too, but begins only after two minutes without work, and takes long.
	lookEvery = 10 * time.Second
	// worthwhile is how much memory must be left behind otherwise.
	worthwhile = 16 << 20
)

// Garbage says how much of it may gather in the process: little, but in a storm, in
// which it would be collected all the time.
type Garbage struct {
	growth uint64 // of the heap in a storm, in bytes

	mu    sync.Mutex
	last  time.Time // it was collected
	often int       // such collections in a row
	storm bool
	ended bool
}

// CollectOften sees to it that the process takes little memory. It returns nil, and does
// nothing, if the environment says how it is to be: GOGC or GOMEMLIMIT.
func CollectOften() *Garbage {
	if os.Getenv("GOGC")+os.Getenv("GOMEMLIMIT") != "" {
		return nil
	}
	debug.SetGCPercent(gcPercent)
	return &Garbage{growth: growthWithin(groupLimit())}
}

// growthWithin leaves most of what a control group lets the process have for other
// things than garbage.
func growthWithin(limit int64) uint64 {
	if limit <= 0 {
		return stormGrowth
	}
	return min(stormGrowth, uint64(limit)/16)
}

// Mind lets garbage gather in a storm and gives memory back after it, until it is
// undone. A HeapBudget must have been asked for before, since in a storm it would be
// less.
func (g *Garbage) Mind() (undo func()) {
	if g == nil {
		return func() {}
	}
	g.watch()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer g.end()
		look := time.NewTicker(lookEvery)
		defer look.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-look.C:
				g.look(now)
			}
		}
	}()
	return func() { cancel(); <-done }
}

// watch waits for the next collection, which finds what nobody uses. Something smaller
// might share its block with what is in use.
func (g *Garbage) watch() {
	runtime.AddCleanup(new([16]byte), func(g *Garbage) {
		live, _ := heap()
		if g.collected(time.Now(), live) {
			g.watch()
		}
	}, g)
}

// collected learns of a collection, and what it has left. It reports whether it is to
// learn of the next.
func (g *Garbage) collected(now time.Time, live uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended {
		return false
	}
	if g.often++; now.Sub(g.last) >= soon {
		g.often = 0
	}
	g.last = now
	g.storm = g.storm || g.often >= stormAt
	if g.storm {
		debug.SetGCPercent(max(gcPercent, int(100*g.growth/max(live, goHeap))))
	}
	return true
}

// look ends a storm that is over, and gives back what it has left behind, or what else
// is worth it. By gcPercent alone the process keeps half as much as is in use.
func (g *Garbage) look(now time.Time) {
	live, rest := heap()
	if storm, over := g.calm(now); over || !storm && rest > max(live*3/4, worthwhile) {
		debug.FreeOSMemory()
	}
}

// calm reports whether there is a storm, or one is over.
func (g *Garbage) calm(now time.Time) (storm, over bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.storm && now.Sub(g.last) > quiet {
		g.storm, g.often = false, 0
		debug.SetGCPercent(gcPercent)
		return false, true
	}
	return g.storm, false
}

func (g *Garbage) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
	debug.SetGCPercent(gcPercent)
}

// heap is how much of it was in use when garbage was last collected, and how much
// more the process keeps.
func heap() (live, rest uint64) {
	m := []metrics.Sample{
		{Name: heapLive},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(m)
	live = m[0].Value.Uint64()
	all := m[1].Value.Uint64() + m[2].Value.Uint64() + m[3].Value.Uint64()
	return live, all - min(all, live)
}
