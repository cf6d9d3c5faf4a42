package httpapi

import (
	"sync"
	"time"
)

// arriving are the requests that have a body. Nobody waits for the rest of it once
// the hub begins to shut down.
type arriving struct {
	mu      sync.Mutex
	of      map[*exchange]struct{}
	hurried bool
}

func (a *arriving) add(x *exchange) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.of[x] = struct{}{}
	if a.hurried {
		x.hurry()
	}
}

// remove must come before the end of the request: then its connection may be
// another's.
func (a *arriving) remove(x *exchange) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.of, x)
}

// hurry ends the patience with all of them, and with those that come.
func (a *arriving) hurry() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hurried = true
	for x := range a.of {
		x.hurry()
	}
}

func (x *exchange) hurry() { _ = x.rc.SetReadDeadline(time.Now()) }
