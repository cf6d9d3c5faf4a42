package actors

import (
	"context"
	"fmt"
)

// A Ref is how an actor is told things. It is small and comparable, and can be
// copied and used by any goroutine. It stands for one actor through all its
// incarnations, and never for another: names can be used again, Refs not. The
// zero Ref stands for an actor that has ended.
type Ref[M any] struct{ body *body[M] }

// Tell puts a message into the actor's mailbox. It never blocks. Nil means that
// the message was accepted: it will be handled, or failed ([Failable]). Any
// error means that it was not: [ErrFull] or [ErrStopped]. A [Prompt] message may
// have been handled already when Tell returns, on the caller's goroutine.
func (r Ref[M]) Tell(m M) error {
	if r.body == nil {
		return ErrStopped
	}
	return r.body.tell(m)
}

// Name is the path to the actor from the top, such as "hub#1/clients#7".
func (r Ref[M]) Name() string {
	if r.body == nil {
		return ""
	}
	return r.body.name()
}

// Waiting is the number of data messages in the mailbox.
func (r Ref[M]) Waiting() int {
	if r.body == nil {
		return 0
	}
	return r.body.waiting()
}

// Mailbox says what waits in the mailbox, in more detail.
func (r Ref[M]) Mailbox() MailboxStats {
	if r.body == nil {
		return MailboxStats{}
	}
	return r.body.stats()
}

// Stop ends the actor after the message that it is handling, and returns at
// once. From now on Tell answers [ErrStopped].
func (r Ref[M]) Stop() {
	if r.body != nil {
		r.body.stop()
	}
}

// StopAndWait ends the actor and waits until it and its children have ended. Not
// for use by that actor or its children, which it would wait for.
func (r Ref[M]) StopAndWait(ctx context.Context) error {
	if r.body == nil {
		return nil
	}
	r.body.stop()
	if err := await(ctx, r.body.finished()); err != nil {
		return fmt.Errorf("%s has not stopped: %w", r.Name(), err)
	}
	return nil
}

// IsZero reports whether the Ref is the zero Ref.
func (r Ref[M]) IsZero() bool { return r.body == nil }

// await prefers what is done to a context that is over.
func await(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
