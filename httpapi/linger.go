package httpapi

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/navehub/nave/actors/hub"
)

// lingering is how much longer than its request a lingerer lasts.
const lingering = 2 * time.Second

// A lingerer is a request's context, and lasts a moment longer: a client that has
// closed its sending side looks like one that is gone, and may wait for the answer.
//
// What it takes to know its end is made when that is first asked for. Most
// requests are answered before.
type lingerer struct {
	request context.Context
	ended   atomic.Bool

	once sync.Once
	ctx  context.Context
	stop func()
}

func (x *exchange) linger() *lingerer { return &lingerer{request: x.r.Context()} }

// end gives up what was made.
func (l *lingerer) end() {
	l.ended.Store(true)
	l.once.Do(func() { l.ctx, l.stop = over, func() {} })
	l.stop()
}

// over is what is made after the end.
var over = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

func (l *lingerer) make() context.Context {
	l.once.Do(func() {
		ctx, cancel := context.WithCancel(context.WithoutCancel(l.request))
		stop := context.AfterFunc(l.request, func() { time.AfterFunc(lingering, cancel) })
		l.ctx, l.stop = ctx, func() { stop(); cancel() }
	})
	return l.ctx
}

func (l *lingerer) Deadline() (time.Time, bool) { return time.Time{}, false }
func (l *lingerer) Value(key any) any           { return l.request.Value(key) }
func (l *lingerer) Done() <-chan struct{}       { return l.make().Done() }

func (l *lingerer) Err() error {
	if l.request.Err() == nil && !l.ended.Load() {
		return nil // and nothing needs to be made to know it
	}
	return l.make().Err()
}

// wait waits for what becomes of a batch.
func (l *lingerer) wait(p *hub.Pending) (hub.Published, error) {
	select {
	case <-p.Done():
	case <-l.request.Done():
	}
	return p.Wait(l)
}
