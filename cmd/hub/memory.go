package main

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
	// gcPercent collects garbage twice as often as Go would: under the reference
	// load that saves 8 MB of 55, and costs no more processor.
	gcPercent = 50
	// soon after the last collection another one is a storm's. The heap may grow by
	// stormGrowth then, if that is more: half of a heap of 3 MB is collected so often
	// that a thousand clients that return spend most of the processor on it.
	soon        = 50 * time.Millisecond
	stormGrowth = 16 << 20
	// goHeap is what Go takes a smaller heap for, when it adds a percentage.
	goHeap = 4 << 20
	// lookEvery is how long memory that a storm leaves behind is kept. Go gives it
	// back too, but begins only after two minutes without work, and takes long.
	lookEvery = 10 * time.Second
	// quiet is how long nothing must have been collected for a storm to be over.
	quiet = time.Second
	// worthwhile is how much memory must be left behind otherwise.
	worthwhile = 16 << 20
)

// collectOften sees to it that the process takes little memory, unless somebody knows
// better.
func collectOften() (decided bool) {
	if os.Getenv("GOGC")+os.Getenv("GOMEMLIMIT") != "" {
		return false
	}
	debug.SetGCPercent(gcPercent)
	return true
}

// mindStorms lets garbage gather in a storm and gives memory back after it, until it is
// undone. Before it is called the hub must have started, which infers from how much the
// heap may grow how much of it may be in use.
func mindStorms(ctx context.Context) (undo func()) {
	p := new(pacer)
	p.watch()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer p.end()
		for look := time.NewTicker(lookEvery); ; {
			select {
			case <-ctx.Done():
				look.Stop()
				return
			case <-look.C:
			}
			// By gcPercent alone it is half as much as what is in use.
			live, rest := heap()
			if storm, over := p.look(time.Now()); over || !storm && rest > max(live*3/4, worthwhile) {
				debug.FreeOSMemory()
			}
		}
	}()
	return func() { cancel(); <-done }
}

// A pacer says how much garbage may gather.
type pacer struct {
	mu    sync.Mutex
	last  time.Time // garbage was collected
	storm bool
	ended bool
}

// watch waits for the next collection, which finds what nobody uses.
func (p *pacer) watch() {
	runtime.AddCleanup(new([16]byte), func(p *pacer) {
		live, _ := heap()
		if p.collected(time.Now(), live) {
			p.watch()
		}
	}, p)
}

// collected learns of a collection, and what it has left. It reports whether it is to
// learn of the next.
func (p *pacer) collected(now time.Time, live uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return false
	}
	p.storm = p.storm || now.Sub(p.last) < soon
	p.last = now
	if p.storm {
		debug.SetGCPercent(max(gcPercent, int(100*stormGrowth/max(live, goHeap))))
	}
	return true
}

// look reports whether there is a storm, or one is over.
func (p *pacer) look(now time.Time) (storm, over bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.storm && now.Sub(p.last) > quiet {
		p.storm = false
		debug.SetGCPercent(gcPercent)
		return false, true
	}
	return p.storm, false
}

func (p *pacer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
}

// heap is how much of it was in use when garbage was last collected, and how much
// more the process keeps.
func heap() (live, rest uint64) {
	m := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(m)
	live = m[0].Value.Uint64()
	all := m[1].Value.Uint64() + m[2].Value.Uint64() + m[3].Value.Uint64()
	return live, all - min(all, live)
}
