package auth

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/navehub/nave"
)

const (
	// askedAgain is how soon a token by an unknown key may cause another look.
	askedAgain = 10 * time.Second
	// patience is how long a token waits for a look.
	patience = 5 * time.Second

	// Between looks, unless somebody asks.
	defaultAge, leastAge, mostAge = 15 * time.Minute, time.Minute, 24 * time.Hour
	// After looks that failed.
	firstRetry, mostRetry = 2 * time.Second, time.Minute
)

// A remote keeps the keys that a URL answers with. It looks when what it knows
// has aged, and when a token names a key that it does not know. While the URL
// does not answer there is one look every now and then, whoever asks, and the
// last keys stay in use.
type remote struct {
	// Set by newSource, never changed.
	url    *url.URL
	client *http.Client
	log    *slog.Logger
	now    func() time.Time
	keep   func(*keySet)
	wake   chan struct{}
	done   chan struct{} // closed when run has returned

	breaker Breaker // open while the last look has failed

	mu       sync.Mutex
	looking  chan struct{} // closed at the end of the look that is under way or due; else nil
	looked   time.Time     // when the last one began
	fetched  time.Time     // when the last one that succeeded ended
	next     time.Time
	err      error // of the last one
	failures int   // in a row
}

// run looks until ctx ends.
func (r *remote) run(ctx context.Context) {
	defer close(r.done)
	for {
		r.begin()
		begun := time.Now()
		set, age, err := r.fetch(ctx)
		if ctx.Err() != nil {
			return // those who wait see that it is done
		}
		r.breaker.Done(err, time.Since(begun))
		timer := time.NewTimer(r.end(set, age, err))
		select {
		case <-ctx.Done():
		case <-r.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (r *remote) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.wake: // for this one
	default:
	}
	if r.looking == nil {
		r.looking = make(chan struct{})
	}
	r.looked = r.now()
}

// end keeps what came of a look, and answers how long to wait for the next.
func (r *remote) end(set *keySet, age time.Duration, err error) time.Duration {
	if err == nil {
		r.keep(set)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var wait time.Duration
	if err == nil {
		wait = age - rand.N(age/10) // hubs that were started together do not look together
		if r.failures > 0 {
			r.log.Info("the keys of an issuer can be fetched again", "url", r.url.Redacted())
		}
		r.failures, r.fetched = 0, r.now()
	} else {
		if r.failures == 0 {
			r.log.Warn("the keys of an issuer cannot be fetched; those of before stay in use", "url", r.url.Redacted(), "error", err)
		}
		wait = min(firstRetry<<min(r.failures, 16), mostRetry)
		wait = wait/2 + rand.N(wait/2)
		r.failures++
	}
	r.err, r.next = err, r.now().Add(wait)
	if err == nil {
		r.breaker.Release()
	} else {
		r.breaker.Hold("the keys cannot be fetched: "+err.Error(), r.next)
	}
	close(r.looking)
	r.looking = nil
	return wait
}

// refresh waits until it is sure that what the URL answers with is known. The
// error has [nave.CodeUnavailable].
func (r *remote) refresh(ctx context.Context) error {
	looking, err := r.ask()
	if looking == nil {
		return err
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-looking:
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.unavailable()
	case <-timer.C:
	case <-ctx.Done():
	case <-r.done:
	}
	return nave.Errorf(nave.CodeUnavailable, "the keys of the token's issuer are still being fetched").After(time.Second)
}

// ask is for a look, which several may share. It answers nil if there is none to
// wait for: it would be too soon after the last one.
func (r *remote) ask() (<-chan struct{}, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.err != nil: // also while somebody tries
		return nil, r.unavailable()
	case r.looking != nil:
		return r.looking, nil
	case r.now().Sub(r.looked) < askedAgain:
		return nil, nil
	}
	r.look()
	return r.looking, nil
}

// lookNow is for an operator, who may know that it is worth it.
func (r *remote) lookNow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.looking == nil {
		r.look()
	}
}

// look has run look, which it is not about to.
func (r *remote) look() {
	r.looking = make(chan struct{})
	r.wake <- struct{}{} // there is room: begin took what was there before
}

// unavailable says when there will be another look if the last one failed. What came
// of it is not for everybody who has a token: it may name machines.
func (r *remote) unavailable() error {
	if r.err == nil {
		return nil
	}
	after := max(r.next.Sub(r.now()), time.Second)
	return nave.Errorf(nave.CodeUnavailable,
		"the token's key is none of those that are known, and the keys of its issuer cannot be fetched: that is tried again at %s",
		r.now().Add(after).UTC().Format(time.RFC3339)).After(after)
}

// A SourceState is how one source is.
type SourceState struct {
	Issuer    string
	URL       string // "" for a file
	Keys      int
	FetchedAt time.Time // zero if the URL has never answered
	Err       error     // of the last look; nil after one that succeeded
	NextTry   time.Time
}

// Sources tells how the sources are, in the order of the configuration.
func (v *Verifier) Sources() []SourceState {
	var states []SourceState
	for _, s := range v.sources {
		state := SourceState{Issuer: s.Issuer}
		if keys := s.keys.Load(); keys != nil {
			state.Keys = len(keys.keys)
		}
		if r := s.remote; r != nil {
			r.mu.Lock()
			state.URL, state.FetchedAt, state.Err, state.NextTry = r.url.Redacted(), r.fetched, r.err, r.next
			r.mu.Unlock()
		}
		states = append(states, state)
	}
	return states
}
