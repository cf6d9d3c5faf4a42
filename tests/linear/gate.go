package linear

import (
	"context"
	"sync"
)

// A gate lets clients through while there is a hub that works. The zero gate is
// shut.
type gate struct {
	mu    sync.Mutex
	opens chan struct{} // closed while the gate is open; nil before anybody asked
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.isOpen() {
		close(g.opens)
	}
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isOpen() {
		g.opens = nil
	}
}

func (g *gate) isOpen() bool {
	if g.opens == nil {
		g.opens = make(chan struct{})
	}
	select {
	case <-g.opens:
		return true
	default:
		return false
	}
}

func (g *gate) await(ctx context.Context) error {
	g.mu.Lock()
	_ = g.isOpen()
	opens := g.opens
	g.mu.Unlock()
	select {
	case <-opens:
	case <-ctx.Done():
	}
	return context.Cause(ctx)
}
