package httpapi

import (
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
)

// rates bound how much is published: in all, and by each publisher.
type rates struct {
	all  *rate.Limiter // nil for no limit
	each float64       // 0 for no limit

	mu         sync.Mutex
	publishers map[string]*rate.Limiter
	swept      time.Time
}

func newRates(all, each float64) *rates {
	r := &rates{each: each, publishers: make(map[string]*rate.Limiter)}
	if all > 0 {
		r.all = newLimiter(all)
	}
	return r
}

// newLimiter lets a second's events come at once.
func newLimiter(perSecond float64) *rate.Limiter {
	return rate.NewLimiter(rate.Limit(perSecond), max(1, int(math.Ceil(perSecond))))
}

// take takes what n events cost, or says when there will be enough.
func (r *rates) take(publisher string, n int) error {
	giveBack := func() {}
	if r.each > 0 && publisher != "" {
		var wait time.Duration
		if wait, giveBack = takeFrom(r.of(publisher), n); wait > 0 {
			return nave.Errorf(nave.CodeBusy, "%s publishes more than %g events a second (limits.publish_rate_per_subject)", publisher, r.each).After(wait)
		}
	}
	if r.all != nil {
		if wait, _ := takeFrom(r.all, n); wait > 0 {
			giveBack()
			return nave.Errorf(nave.CodeOverloaded, "more than %g events a second are published in all (limits.publish_rate)", float64(r.all.Limit())).After(wait)
		}
	}
	return nil
}

// takeFrom takes a second's worth at a time: the first has to be there, and what is
// left of a larger batch is owed by those that come after it.
func takeFrom(l *rate.Limiter, n int) (wait time.Duration, giveBack func()) {
	now := time.Now()
	var taken []*rate.Reservation
	giveBack = func() {
		for _, part := range slices.Backward(taken) {
			part.CancelAt(now)
		}
	}
	for n > 0 {
		part := l.ReserveN(now, min(n, l.Burst()))
		taken = append(taken, part)
		if wait := taken[0].DelayFrom(now); wait > 0 {
			giveBack()
			return wait, func() {}
		}
		n -= l.Burst()
	}
	return 0, giveBack
}

// sweepEvery is how often publishers are forgotten that have their whole allowance:
// they are like new.
const sweepEvery = 10 * time.Second

// mostPublishers are told apart at a time.
const mostPublishers = 100_000

func (r *rates) of(publisher string) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.Sub(r.swept) > sweepEvery {
		r.swept = now
		for name, l := range r.publishers {
			if l.TokensAt(now) >= float64(l.Burst()) {
				delete(r.publishers, name)
			}
		}
	}
	l, ok := r.publishers[publisher]
	if !ok && len(r.publishers) >= mostPublishers {
		publisher = "" // which those share who come later
		l, ok = r.publishers[publisher]
	}
	if !ok {
		l = newLimiter(r.each)
		r.publishers[publisher] = l
	}
	return l
}

// publisher is who answers for what is published; "" is nobody, for what comes without
// a token from this machine itself.
func (x *exchange) publisher() string {
	if x.who.Anonymous() && x.address().IsLoopback() {
		return ""
	}
	return x.caller()
}

// caller is the subject of the token, or without one the network that it comes from.
func (x *exchange) caller() string {
	if x.who.Anonymous() {
		return client.Network(x.address()).String()
	}
	return strings.TrimSpace(x.who.Issuer + " " + x.who.Name())
}
