package actors

import (
	"runtime"
	"sync"
)

// A pool is the goroutines on which actors handle messages. Some that have
// nothing to do wait for more: the stack of a new one would have to grow first.
type pool struct {
	mu      sync.Mutex
	waiting []chan *cell // the latest last; each has one worker behind it
	closed  bool
	working sync.WaitGroup
}

// run lets a worker run the actor.
func (p *pool) run(c *cell) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := len(p.waiting) - 1; last >= 0 {
		p.waiting[last] <- c // which has room
		p.waiting = p.waiting[:last]
		return
	}
	p.working.Add(1)
	go p.work(c)
}

func (p *pool) work(c *cell) {
	defer p.working.Done()
	next := make(chan *cell, 1)
	for ok := true; ok; c, ok = <-next {
		c.run(false)
		if !p.wait(next) {
			return
		}
	}
}

// wait reports whether the worker shall wait for more.
func (p *pool) wait(next chan *cell) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.waiting) >= 4*runtime.GOMAXPROCS(0) {
		return false
	}
	p.waiting = append(p.waiting, next)
	return true
}

// close ends those that wait, and from now on every other that has nothing to do.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, next := range p.waiting {
		close(next)
	}
	p.waiting = nil
}
