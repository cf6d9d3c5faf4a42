package actors

import (
	"context"
	"errors"
	"sync/atomic"
)

// A Reply is a promise of one answer. It is a value that can be copied: all
// copies are the same promise. The first answer counts, later ones are ignored,
// and answering never blocks. A message that embeds a Reply is [Failable]. The
// zero Reply can be answered, but nobody waits.
type Reply[R any] struct{ promise *promise[R] }

type promise[R any] struct {
	answered atomic.Bool
	done     chan struct{}
	then     func() // nil for none

	// Owned by whoever answers first, until done is closed.
	value R
	err   error
}

// NewReply makes a promise.
func NewReply[R any]() Reply[R] {
	return Reply[R]{&promise[R]{done: make(chan struct{})}}
}

// NewReplyThen makes a promise of which somebody else wants to know that it is
// kept: whoever answers calls then, once, which must not block.
func NewReplyThen[R any](then func()) Reply[R] {
	return Reply[R]{&promise[R]{done: make(chan struct{}), then: then}}
}

// Send answers.
func (r Reply[R]) Send(v R) { r.answer(v, nil) }

// Fail answers with an error, which must not be nil.
func (r Reply[R]) Fail(err error) {
	var none R
	r.answer(none, err)
}

func (r Reply[R]) answer(v R, err error) {
	p := r.promise
	if p == nil || !p.answered.CompareAndSwap(false, true) {
		return
	}
	p.value, p.err = v, err
	close(p.done)
	if p.then != nil {
		p.then()
	}
}

// Answered reports whether Wait would return at once.
func (r Reply[R]) Answered() bool {
	if r.promise == nil {
		return true
	}
	select {
	case <-r.promise.done:
		return true
	default:
		return false
	}
}

// Done is closed once there is an answer. The zero Reply has none.
func (r Reply[R]) Done() <-chan struct{} {
	if r.promise == nil {
		return nil
	}
	return r.promise.done
}

// Wait waits for the answer, or for ctx. It may be called more than once.
func (r Reply[R]) Wait(ctx context.Context) (R, error) {
	var none R
	if r.promise == nil {
		return none, errors.New("wait for the zero Reply")
	}
	if err := await(ctx, r.promise.done); err != nil {
		return none, err
	}
	return r.promise.value, r.promise.err
}

// Ask tells an actor the message that carries the given promise, and waits for
// the answer. It returns at once when the message is refused, and, if the message
// is [Failable], when its handler fails or the actor stops. Only for the edges of
// the hub: an actor that waits handles nothing, and two that wait for each other
// wait for ctx.
func Ask[M, R any](ctx context.Context, to Ref[M], message func(Reply[R]) M) (R, error) {
	var none R
	if err := ctx.Err(); err != nil {
		return none, err
	}
	r := NewReply[R]()
	if err := to.Tell(message(r)); err != nil {
		return none, err
	}
	return r.Wait(ctx)
}
