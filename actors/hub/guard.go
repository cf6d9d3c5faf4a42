package hub

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/breaker"
)

const (
	// logBreaker is the breaker that durable and memory events pass.
	logBreaker = "log"
	// slowAppend is when a write counts as slow.
	slowAppend = time.Second
	// stalledAfter is how long one may be under way before publishers are refused
	// instead of waiting behind it. Within it a disk that stutters costs them time,
	// and nothing else.
	stalledAfter = 5 * time.Second
)

// A guard is the breaker "log". It opens and closes by what the journal knows, not by
// rates: one failed write is enough to know that the log has to be reopened, the
// try to do so is the probe, and once it succeeds nobody needs to be kept out for
// longer.
type guard struct {
	*breaker.Breaker

	underway atomic.Pointer[time.Time] // when what the journal waits for began; nil if nothing

	mu     sync.Mutex // held by whoever holds or releases the breaker
	isHeld bool
}

func newGuard() *guard {
	return &guard{Breaker: breaker.New(breaker.Config{
		Name: logBreaker, SlowCall: slowAppend, Manual: true, Level: nave.LevelConserve,
	})}
}

// allow refuses what the log would not take now, or not answer. While the journal is
// at it, one waits for what comes of it: also for the try to reopen the log.
func (g *guard) allow() error {
	begun := g.underway.Load()
	if begun != nil {
		if time.Since(*begun) < stalledAfter {
			return nil
		}
		g.stalled(begun)
	}
	return nothingStored(g.Allow())
}

// nothingStored says so of a breaker's refusal.
func nothingStored(err error) error {
	var refused *nave.Error
	if errors.As(err, &refused) {
		refused.Detail += ": nothing was stored" // the publisher's own: each refusal is made anew
	}
	return err
}

func (g *guard) stalled(begun *time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.underway.Load() == begun && !g.isHeld {
		g.isHeld = true
		g.Hold("the disk has not answered for "+stalledAfter.String(), time.Time{})
	}
}

// begin says that the journal waits for the log from now on.
func (g *guard) begin() {
	now := time.Now()
	g.underway.Store(&now)
}

// end says that it does not any more, and what came of it.
func (g *guard) end(err error) {
	begun := g.underway.Swap(nil)
	g.Done(err, time.Since(*begun))
	if err == nil {
		g.release()
	}
}

// broken says that the log has to be reopened, and when that is tried next.
func (g *guard) broken(next time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.underway.Store(nil)
	g.isHeld = true
	g.Hold("the log is being reopened", next)
}

// opened says that the log is open again.
func (g *guard) opened() {
	g.underway.Store(nil)
	g.release()
}

// release lets publishers through: the log is well. It takes the lock as who finds it
// stalled does, who may be about to hold it.
func (g *guard) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isHeld {
		g.isHeld = false
		g.Release()
	}
}
