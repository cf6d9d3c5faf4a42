package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// A lane is where a message waits. Lower lanes go first.
type lane uint8

const (
	systemLane  lane = iota // protoactor's: unbounded, passes always
	controlLane             // bounded on its own
	dataLane                // bounded in count and bytes; can be held
	noLane
	otherLane // some lane, for another goroutine
)

// A mailbox holds what waits for one actor. It is a plain data structure: it
// calls nothing while it is locked, and starts nothing; what it returns as
// "wake" is the caller's duty.
type mailbox struct {
	limits *Limits // never changed

	mu      sync.Mutex // guards all below
	system  ring[any]
	control ring[any]
	data    ring[sized]
	bytes   int64 // of data
	refused uint64
	peak    uint32 // the most that waited in control and data, since asked

	bound     bool // there is somebody to handle messages
	running   bool // somebody is doing so
	suspended bool // the actor has failed: only system messages until its directive
	held      bool // the actor takes no data
	closed    bool // a stop is on its way: nothing is accepted any more
	ended     bool // the stop is done
}

type sized struct {
	msg  any
	size int64
}

// push accepts a message from a sender, or says why not.
func (m *mailbox) push(msg any) (wake bool, err error) {
	_, control := msg.(Control)
	var size int64
	if !control {
		size = sizeOf(msg)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if control {
		err = m.pushControl(msg)
	} else {
		err = m.pushData(msg, size)
	}
	if err != nil {
		if !m.closed {
			m.refused++
		}
		return false, err
	}
	m.peak = max(m.peak, m.depth())
	return m.wake(), nil
}

func (m *mailbox) pushControl(msg any) error {
	switch {
	case m.closed:
		return ErrStopped
	case int(m.control.n) >= m.limits.Control:
		return errControl
	}
	m.control.push(msg)
	return nil
}

func (m *mailbox) pushData(msg any, size int64) error {
	switch {
	case m.closed:
		return ErrStopped
	case int(m.data.n) >= m.limits.Count:
		return errCount
	case m.limits.Bytes > 0 && size > m.limits.Bytes-m.bytes:
		return errBytes
	case m.limits.First && m.data.n == 0:
		m.limits.Budget.force(size)
	case !m.limits.Budget.take(size):
		return ErrBudget
	}
	m.bytes += size
	m.data.push(sized{msg, size})
	return nil
}

// pushTimer accepts a message of the actor to itself, which is bound by the
// number of its timers.
func (m *mailbox) pushTimer(msg any) (wake bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.control.push(msg)
	return m.wake()
}

// pushSystem accepts a system message. From the moment of a stop nothing else is
// accepted, so that nobody is told yes in vain.
func (m *mailbox) pushSystem(msg any) (wake bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended {
		return false
	}
	if _, stop := msg.(*actor.Stop); stop {
		if m.closed {
			return false
		}
		m.closed = true
	}
	m.system.push(msg)
	return m.wake()
}

// wake reports whether the caller has to start the handling of messages.
func (m *mailbox) wake() bool {
	if m.running || !m.bound || m.first() == noLane {
		return false
	}
	m.running = true
	return true
}

// first is the lane whose turn it is.
func (m *mailbox) first() lane {
	switch {
	case m.system.n > 0:
		return systemLane
	case m.suspended:
		return noLane
	case m.control.n > 0:
		return controlLane
	case m.data.n > 0 && !m.held:
		return dataLane
	}
	return noLane
}

// pick takes the next message to be handled. When there is none, the handling of
// messages has ended, until somebody is told to wake it. promptly takes only what
// is prompt, and leaves the handling to another goroutine if that is not next.
func (m *mailbox) pick(promptly bool) (any, lane) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		from := m.first()
		if from == noLane {
			m.rest()
			return nil, noLane
		}
		if promptly && !m.prompt(from) {
			return nil, otherLane
		}
		msg := m.take(from)
		if from == systemLane && m.absorb(msg) {
			continue
		}
		return msg, from
	}
}

// prompt reports whether the next message of a lane is.
func (m *mailbox) prompt(from lane) bool {
	var next any
	switch from {
	case controlLane:
		next = m.control.peek()
	case dataLane:
		next = m.data.peek().msg
	}
	_, prompt := next.(Prompt)
	return prompt
}

func (m *mailbox) take(from lane) any {
	switch from {
	case systemLane:
		return m.system.pop()
	case controlLane:
		return m.control.pop()
	}
	d := m.data.pop()
	m.bytes -= d.size
	m.limits.Budget.give(d.size)
	return d.msg
}

// absorb deals with the system messages that are meant for the mailbox, and
// drops restarts that come too late: protoactor would bring a stopping actor,
// even a stopped one, back to life.
func (m *mailbox) absorb(msg any) bool {
	switch msg.(type) {
	case *actor.SuspendMailbox:
		m.suspended = true
	case *actor.ResumeMailbox:
		m.suspended = false
	case *actor.Restart:
		return m.closed
	default:
		return false
	}
	return true
}

func (m *mailbox) rest() {
	m.running = false
	m.system = ring[any]{} // most actors get one in all their life
	if m.control.n == 0 {
		m.control.shrink()
	}
	if m.data.n == 0 {
		m.data.shrink()
	}
}

// leftover takes a message that will never be handled.
func (m *mailbox) leftover() (msg any, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.control.n > 0:
		return m.take(controlLane), true
	case m.data.n > 0:
		return m.take(dataLane), true
	}
	return nil, false
}

// hold stops or lets go on the taking of data messages.
func (m *mailbox) hold(held bool) (wake bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held = held
	return m.wake()
}

func (m *mailbox) isClosed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

// waiting is the number of data messages.
func (m *mailbox) waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int(m.data.n)
}

func (m *mailbox) depth() uint32 { return m.control.n + m.data.n }

func (m *mailbox) stats() MailboxStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count()
}

func (m *mailbox) count() MailboxStats {
	return MailboxStats{Data: int(m.data.n), Control: int(m.control.n), Bytes: m.bytes, Refused: m.refused}
}

// measure also returns the most that waited since it was measured anew.
func (m *mailbox) measure(anew bool) (st MailboxStats, peak int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	peak = int(m.peak)
	if anew {
		m.peak = m.depth()
	}
	return m.count(), peak
}
