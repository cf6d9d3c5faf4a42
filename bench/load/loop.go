//go:build linux

package load

import (
	"context"
	"errors"
	"math"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// readBytes is shared by all connections: what a read leaves unfinished is kept
	// by its connection.
	readBytes = 256 << 10
	// contextPoll is how long an interrupt may go unnoticed.
	contextPoll = 100 * time.Millisecond
)

// A Loop serves connections and keeps due times. Make one with [NewLoop].
type Loop struct {
	epoll, timer int
	armed        int64 // when the timer goes off; 0 if it does not
	owners       []owner
	waiting      []unix.EpollEvent
	plans        []*Plan
	next         int64 // when the earliest plan is due
	now          int64 // when something was last read
	buf          []byte
	spare        [][]byte
	failure      error
	dialled      int
}

// An owner of a connection is told what epoll says of it.
type owner interface{ ready(events uint32) }

// NewLoop makes a loop without connections.
func NewLoop() (*Loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		unix.Close(epoll)
		return nil, err
	}
	l := &Loop{epoll: epoll, timer: timer, waiting: make([]unix.EpollEvent, 512), next: math.MaxInt64, buf: make([]byte, readBytes)}
	return l, unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, timer, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(timer)})
}

// Close closes the loop and every connection in it.
func (l *Loop) Close() error {
	for fd, o := range l.owners {
		if o != nil {
			unix.Close(fd)
		}
	}
	return errors.Join(unix.Close(l.timer), unix.Close(l.epoll))
}

// Run serves the connections until done says so, or for as long as limit, and
// reports whether it was done. Without done it runs for limit. It fails if
// anything did that must not.
func (l *Loop) Run(ctx context.Context, limit time.Duration, done func() bool) (bool, error) {
	until := Now() + int64(limit)
	for {
		switch {
		case l.failure != nil:
			return false, l.failure
		case done != nil && done():
			return true, nil
		case Now() >= until:
			return done == nil, nil
		case ctx.Err() != nil:
			return false, ctx.Err()
		}
		if err := l.turn(until); err != nil {
			return false, err
		}
	}
}

func (l *Loop) turn(until int64) error {
	l.now = Now()
	l.fire()
	wait, err := l.arm(min(l.next, until))
	if err != nil {
		return err
	}
	n, err := unix.EpollWait(l.epoll, l.waiting, wait)
	if err != nil && err != unix.EINTR {
		return err
	}
	l.now = Now()
	for i := range max(n, 0) {
		if l.now >= l.next { // a crowd takes its time, and due times do not wait
			l.fire()
		}
		l.serve(&l.waiting[i])
	}
	return nil
}

func (l *Loop) serve(e *unix.EpollEvent) {
	if int(e.Fd) == l.timer {
		var expired [8]byte
		_, _ = unix.Read(l.timer, expired[:])
		l.armed = 0
		return
	}
	if o := l.owners[e.Fd]; o != nil {
		o.ready(e.Events)
	}
}

// arm sets the timer, since epoll itself counts in milliseconds, and returns for
// how many of them to wait.
func (l *Loop) arm(due int64) (int, error) {
	left := due - Now()
	if left <= 0 {
		return 0, nil
	}
	const most = int(contextPoll / time.Millisecond)
	if l.armed == due || left > int64(contextPoll) {
		return most, nil
	}
	l.armed = due
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(left)}
	return most, unix.TimerfdSettime(l.timer, 0, &spec, nil)
}

// fail notes the first thing that went wrong.
func (l *Loop) fail(err error) {
	if l.failure == nil {
		l.failure = err
	}
}

// keep copies what a connection has not finished reading.
func (l *Loop) keep(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	var tail []byte
	if n := len(l.spare); n > 0 {
		tail, l.spare = l.spare[n-1], l.spare[:n-1]
	}
	return append(tail[:0], b...)
}

// release takes back what keep gave.
func (l *Loop) release(tail []byte) {
	if cap(tail) > 0 {
		l.spare = append(l.spare, tail)
	}
}
