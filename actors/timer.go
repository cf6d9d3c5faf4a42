package actors

import "time"

// A timer is a message that an incarnation sends to itself. Until it is over it
// is in its incarnation's list.
type timer[M any] struct {
	message M // never changed

	// Owned by the actor's goroutine.
	timer      *time.Timer
	prev, next *timer[M]
	over       bool
}

// After tells the actor m after d, among its control messages but not bound by
// their number. The message is dropped when it is cancelled or the incarnation
// ends: it never reaches the next one, and must not carry a promise ([Failable]).
// Call cancel in the actor's own calls only; it may come too late, or twice.
func (c *Context[M]) After(d time.Duration, m M) (cancel func()) {
	if c.body.current != c {
		return func() {}
	}
	t := &timer[M]{message: m, next: c.timers}
	if t.next != nil {
		t.next.prev = t
	}
	c.timers = t
	t.timer = time.AfterFunc(d, func() { c.body.wakeIf(c.body.pushTimer(t)) })
	return func() { c.expire(t) }
}

// expire ends a timer, one of c's unless it is over. It reports whether it was not.
func (c *Context[M]) expire(t *timer[M]) bool {
	if t.over {
		return false
	}
	t.over = true
	t.timer.Stop()
	if t.next != nil {
		t.next.prev = t.prev
	}
	if t.prev != nil {
		t.prev.next = t.next
	} else {
		c.timers = t.next
	}
	t.prev, t.next = nil, nil
	return true
}

func (c *Context[M]) cancelAll() {
	for c.timers != nil {
		c.expire(c.timers)
	}
}

func (t *timer[M]) inner() any { return t.message }
