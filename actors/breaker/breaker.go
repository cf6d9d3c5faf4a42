// Package breaker keeps callers from a dependency that does not work: they are
// refused at once, in one sentence, instead of waiting for it to fail once more.
//
//	if err := b.Allow(); err != nil {
//		return err // which breaker is open, why, and until when
//	}
//	begun := time.Now()
//	err := call(ctx)
//	b.Done(err, time.Since(begun))
//
// A breaker is in one of three states:
//
//	closed ──── too many calls failed, or were slow ───▶ open ◀────────┐
//	   ▲                                                  │            │
//	   │                                       its time has passed     │
//	   │                                                  ▼            │
//	   └──────────── the probes went well ──────────── half-open ─ they did not
//
// Rates are of the calls that ended within a sliding window, and mean nothing
// below a number of calls. While it is half-open a few calls are let through, the
// probes, which are judged by the same rates; each time that they fail, it stays
// open for longer. What counts as a failure is the caller's to say.
//
// Blocking: [Breaker.Allow] and [Breaker.Done] never block. While all goes well
// each is a few atomic operations without allocation, and nobody is told anything.
//
// Ownership: an actor owns the state, and decides. Callers read what it has
// published, and what they count it collects: within moments of a failure, and a
// few times a window otherwise. When nobody calls it has no timer, unless it has
// something to look at itself; see [Config.Sample].
//
// Bounds: at most [Config.Probes] calls are let through while half-open. One that
// does not come back within the window has failed, so that nothing stays half-open
// for ever. A call that began before the breaker closed is not held against it.
//
// Failure: an actor that fails starts again, closed. One that has ended, or has
// not started yet, lets every call through.
package breaker

import (
	"cmp"
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/registry"
)

// Config configures a Breaker. Besides a name it needs nothing.
type Config struct {
	// Name is unique in its hub. It can be a segment of a topic.
	Name string
	// Window is how far back calls count.
	//
	// Defaults to 10 seconds.
	Window time.Duration
	// MinCalls is how many calls there must be in the window before their rates
	// mean anything.
	//
	// Defaults to 20.
	MinCalls int
	// ErrorRate is the part of calls, from 0 to 1, from which on their failing
	// opens the breaker.
	//
	// Defaults to 0.5.
	ErrorRate float64
	// SlowCall is how long a call may take before it counts as slow, and SlowRate
	// the part of them from which on that opens the breaker. 0 is for ever.
	//
	// SlowRate defaults to 0.8.
	SlowCall time.Duration
	SlowRate float64
	// Open is about how long the breaker stays open at first. That doubles each
	// time that the probes fail, up to MaxOpen.
	//
	// Default to a second and to a minute.
	Open, MaxOpen time.Duration
	// Probes is how many calls are let through to try.
	//
	// Defaults to 3.
	Probes int
	// Manual leaves it to Hold and Release to open and close the breaker. Calls
	// are counted all the same.
	Manual bool
	// Sample, for what is looked at rather than called, is asked by the actor
	// itself, once a second unless the breaker is open. Each look counts as a call,
	// which has failed if it finds something wrong. It must not block.
	Sample func() error
	// Level is the service level that the hub should go to while the breaker is not
	// closed, "" for none.
	Level nave.Level
}

func (c Config) withDefaults() Config {
	c.Window = cmp.Or(c.Window, 10*time.Second)
	c.MinCalls = cmp.Or(c.MinCalls, 20)
	c.ErrorRate = cmp.Or(c.ErrorRate, 0.5)
	c.SlowRate = cmp.Or(c.SlowRate, 0.8)
	c.Open = cmp.Or(c.Open, time.Second)
	c.MaxOpen = max(cmp.Or(c.MaxOpen, time.Minute), c.Open)
	c.Probes = cmp.Or(c.Probes, 3)
	return c
}

// A State is one of the three that a breaker is in.
type State = registry.BreakerState

// The states.
const (
	Closed   = registry.BreakerClosed
	Open     = registry.BreakerOpen
	HalfOpen = registry.BreakerHalfOpen
)

// A Breaker guards one dependency. Its methods may be called from any goroutine,
// also before the hub that it belongs to has started.
type Breaker struct {
	// Set by New, never changed.
	config Config
	random func() float64

	onReset func() // nil for none; set before the hub starts

	// Shared.
	view  atomic.Pointer[view] // written by the actor
	held  atomic.Pointer[hold] // written by the owner; nil for none
	awake atomic.Bool          // the actor will look by itself
	poked atomic.Bool          // it has been told to, and has not looked yet
	gone  atomic.Bool          // it has been retired
	ref   atomic.Pointer[actors.Ref[message]]

	// Owned by the actor; outlives its incarnations.
	history []registry.BreakerChange
}

// New makes a breaker, closed. It belongs into the Config of one hub.
func New(config Config) *Breaker {
	b := &Breaker{config: config.withDefaults(), random: rand.Float64}
	b.view.Store(&view{state: Closed})
	return b
}

// Name is the breaker's name.
func (b *Breaker) Name() string { return b.config.Name }

// State is the one that callers meet now.
func (b *Breaker) State() State {
	if b.held.Load() != nil {
		return Open
	}
	return b.view.Load().state
}

// Allow is nil if a call may be made, which Done must follow. Otherwise it is a
// *nave.Error with nave.CodeUnavailable that says why not, and when to try again.
func (b *Breaker) Allow() error {
	if h := b.held.Load(); h != nil {
		return h.refusal(time.Now(), b.config.Open)
	}
	v := b.view.Load()
	if v.state == Closed {
		return nil
	}
	if v.permit() {
		b.poke()
		return nil
	}
	return v.refusal(time.Now())
}

// Done tells how a call went that was allowed, and how long it took. What is no
// fault of the dependency's, such as the caller's own deadline or a refusal of its
// input, is nil.
func (b *Breaker) Done(err error, took time.Duration) {
	slow := b.config.SlowCall > 0 && took > b.config.SlowCall
	v := b.view.Load()
	if err != nil || slow || v.state != Closed {
		b.told(v, outcomeOf(err, slow), took)
		return
	}
	v.counts[good].Add(1)
	if !b.awake.Load() {
		b.poke()
	}
}

// told counts what is of more interest than that all goes well.
func (b *Breaker) told(v *view, o outcome, took time.Duration) {
	if v.state == Open || time.Now().Add(-took).Before(v.since) {
		return // it began before, and says nothing of how things are now
	}
	v.counts[o].Add(1)
	b.poke()
}

// Hold opens the breaker until Release, whatever the figures say: for an owner who
// knows. The latest reason counts. until is when things may be better, for those
// who are refused; zero if nobody knows.
func (b *Breaker) Hold(why string, until time.Time) {
	b.held.Store(newHold(b.config.Name, why, until))
	b.poke()
}

// Release ends a Hold. From then on calls are let through.
func (b *Breaker) Release() {
	if b.held.Swap(nil) != nil {
		b.poke()
	}
}

// OnReset has try called by each Reset: for an owner who holds the breaker, and can
// look at once whether it still has to. It must not block. Call it before the hub
// starts.
func (b *Breaker) OnReset(try func()) { b.onReset = try }

// Reset closes the breaker and forgets its figures, for an operator. It does not
// end a Hold, but has its owner try; see OnReset.
func (b *Breaker) Reset(ctx context.Context, by string) error {
	if b.onReset != nil {
		b.onReset()
	}
	ref := b.ref.Load()
	if ref == nil {
		return nave.Errorf(nave.CodeUnavailable, "the breaker %s has not started yet", b.config.Name).After(time.Second)
	}
	_, err := actors.Ask(ctx, *ref, func(r actors.Reply[struct{}]) message { return reset{r, by} })
	return err
}

// Retire ends the breaker for good: it lets every call through, and nobody is shown
// it any more.
func (b *Breaker) Retire(from *registry.Registry) {
	b.gone.Store(true)
	if ref := b.ref.Load(); ref != nil {
		ref.Stop()
	}
	from.RemoveBreaker(b.config.Name)
}

// poke has the actor look, soon. However often it is called, one message waits.
func (b *Breaker) poke() {
	if b.poked.Load() || !b.poked.CompareAndSwap(false, true) {
		return
	}
	if ref := b.ref.Load(); ref == nil || ref.Tell(look{}) != nil {
		b.poked.Store(false)
	}
}
