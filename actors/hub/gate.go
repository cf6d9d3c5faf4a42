package hub

import (
	"context"
	"sync"
)

// gate counts the publishers inside, and lets nobody in once it is closed.
type gate struct {
	mu     sync.RWMutex
	isOpen bool
	inside sync.WaitGroup
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.isOpen = true
}

func (g *gate) enter() bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.isOpen {
		g.inside.Add(1)
	}
	return g.isOpen
}

func (g *gate) leave() { g.inside.Done() }

// close waits until nobody is inside.
func (g *gate) close(ctx context.Context) error {
	g.mu.Lock()
	g.isOpen = false
	g.mu.Unlock()
	empty := make(chan struct{})
	go func() { // ends with the last publisher, whose wait is bounded by the journal
		g.inside.Wait()
		close(empty)
	}()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
