package actors

import (
	"errors"
	"fmt"
)

var (
	// ErrFull refuses a message: a bound of the mailbox is reached. The sender
	// keeps the message and decides: drop, retry, or tell its own caller.
	ErrFull = errors.New("mailbox is full")
	// ErrBudget is the ErrFull of a mailbox with room of its own: the budget that
	// it shares is spent, by others.
	ErrBudget = fmt.Errorf("%w: shared budget is spent", ErrFull)
	// ErrStopped refuses a message, or fails one that waits: the actor has been
	// stopped, or never was.
	ErrStopped = errors.New("actor is stopped")

	errCount   = fmt.Errorf("%w of messages", ErrFull)
	errBytes   = fmt.Errorf("%w of bytes", ErrFull)
	errControl = fmt.Errorf("%w of control messages", ErrFull)
)

const (
	defaultCount   = 1024
	defaultControl = 64
	defaultSize    = 64
)

// Limits bound what waits in a mailbox. The message being handled does not count.
type Limits struct {
	// Count bounds data messages. Defaults to 1024.
	Count int
	// Control bounds control messages. Defaults to 64.
	Control int
	// Bytes bounds the sizes of data messages taken together. A message larger
	// than that is never accepted. Defaults to no bound but Count.
	Bytes int64
	// Budget bounds the bytes of all mailboxes that share it. Defaults to none.
	Budget *Budget
	// First lets a message into an empty mailbox whatever the budget says, so that
	// actors that keep up do not go without because others do not.
	First bool
}

func (l Limits) withDefaults() Limits {
	if l.Count <= 0 {
		l.Count = defaultCount
	}
	if l.Control <= 0 {
		l.Control = defaultControl
	}
	return l
}

// Sized messages know what they cost in memory, in bytes. It is asked once, by
// the sender. Other messages count as 64 bytes.
type Sized interface{ MessageSize() int }

// Control marks messages that must not wait behind data, nor be refused because
// data is backed up: stop this, drain, a heartbeat. They have a small lane of
// their own, and are handled first.
type Control interface{ ControlMessage() }

// Prompt marks messages that are handled in microseconds and without waiting for
// anything: an actor at rest may handle one on the goroutine that tells it, before
// Tell returns, which saves waking another. Who tells such messages must hold no
// lock that handling them takes. An actor that meets something to wait for sends
// itself a message that is not prompt, and does it there.
type Prompt interface{ PromptMessage() }

// Failable messages carry a promise to somebody who waits. Fail is called when
// an accepted message will never be handled, with [ErrStopped], and when its
// handler failed, with a [*PanicError]. It is not called when Tell returned an
// error, for the sender knows. It is called on the actor's goroutine and must
// not block.
type Failable interface{ Fail(error) }

func sizeOf(msg any) int64 {
	if s, ok := msg.(Sized); ok {
		return max(0, int64(s.MessageSize()))
	}
	return defaultSize
}
