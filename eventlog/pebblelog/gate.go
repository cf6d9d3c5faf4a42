package pebblelog

import (
	"sync"

	"github.com/navehub/nave/eventlog"
)

// A gate lets Close wait for those who are inside and keep others out.
type gate struct {
	mu     sync.Mutex
	inside int
	shut   chan struct{} // closed when the gate is shut and nobody is inside
}

func (g *gate) enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil {
		return eventlog.ErrClosed
	}
	g.inside++
	return nil
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.shut != nil && g.inside == 0 {
		close(g.shut)
	}
}

// close shuts the gate and waits. It reports false if it was shut before.
func (g *gate) close() bool {
	g.mu.Lock()
	first := g.shut == nil
	if first {
		g.shut = make(chan struct{})
		if g.inside == 0 {
			close(g.shut)
		}
	}
	g.mu.Unlock()
	<-g.shut
	return first
}
