package main

import (
	"os"
	"runtime"
	"runtime/debug"
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
	// quiet is how long nothing must have been collected for a storm to be over.
	quiet = time.Second
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
