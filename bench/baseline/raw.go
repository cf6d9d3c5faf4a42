//go:build linux

package baseline

import (
	"context"
	"net"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// Raw serves by one epoll loop until the context ends. Of every topic it keeps the
// last events, so many of them, for those who come with a cursor.
func Raw(ctx context.Context, l *net.TCPListener, keep int) error {
	file, err := l.File()
	if err != nil {
		return err
	}
	defer file.Close()
	r := &raw{keep: keep, topics: make(map[string]*rawTopic), buf: make([]byte, 256<<10)}
	r.listener = int(file.Fd())
	if r.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return os.NewSyscallError("epoll_create", err)
	}
	defer r.close()
	if err := unix.SetNonblock(r.listener, true); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	if err := r.watch(unix.EPOLL_CTL_ADD, r.listener, unix.EPOLLIN); err != nil {
		return err
	}
	return r.run(ctx)
}

type raw struct {
	keep            int
	epoll, listener int
	conns           []*rawConn // by descriptor
	topics          map[string]*rawTopic
	several         []*rawConn  // those that follow more than one topic, or a pattern
	published       []*rawTopic // to, since all was written
	offset          uint64
	buf, block      []byte
}

// A rawTopic has the blocks of its last events joined, so that what somebody
// missed is one piece of it.
type rawTopic struct {
	followers []*rawConn // that follow nothing else
	round     []byte     // published since all was written
	offsets   []uint64
	ends      []int // of each block, in blocks
	blocks    []byte
}

type rawConn struct {
	fd      int
	in, out []byte // not complete yet
	round   []byte // of one that follows several, since all was written
	filters []string
	gone    bool
}

func (c *rawConn) followsOne() bool { return len(c.filters) == 1 && !isPattern(c.filters[0]) }

func (r *raw) watch(how, fd int, events uint32) error {
	err := unix.EpollCtl(r.epoll, how, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
	return os.NewSyscallError("epoll_ctl", err)
}

func (r *raw) close() {
	for fd, c := range r.conns {
		if c != nil {
			unix.Close(fd)
		}
	}
	unix.Close(r.epoll)
}

func (r *raw) run(ctx context.Context) error {
	ready := make([]unix.EpollEvent, 512)
	const interrupt = 200 // milliseconds until the end of the context is noticed
	for ctx.Err() == nil {
		n, err := unix.EpollWait(r.epoll, ready, interrupt)
		if err != nil && err != unix.EINTR {
			return os.NewSyscallError("epoll_wait", err)
		}
		for _, e := range ready[:max(n, 0)] {
			if fd := int(e.Fd); fd == r.listener {
				r.accept()
			} else if c := r.conns[fd]; c != nil {
				r.ready(c, e.Events)
			}
		}
		r.fanOut()
	}
	return nil
}

// fanOut writes what was published in this round of the loop, to each follower as
// one piece: that is the least it can cost.
func (r *raw) fanOut() {
	if len(r.published) == 0 {
		return
	}
	for i, t := range r.published {
		for _, f := range t.followers {
			r.write(f, t.round)
		}
		t.round, r.published[i] = t.round[:0], nil
	}
	r.published = r.published[:0]
	for _, f := range r.several {
		if len(f.round) > 0 {
			r.write(f, f.round)
			f.round = f.round[:0]
		}
	}
}

func (r *raw) accept() {
	for {
		fd, _, err := unix.Accept4(r.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		for len(r.conns) <= fd {
			r.conns = append(r.conns, nil)
		}
		r.conns[fd] = &rawConn{fd: fd}
		if r.watch(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN|unix.EPOLLRDHUP) != nil {
			r.drop(r.conns[fd])
		}
	}
}

func (r *raw) ready(c *rawConn, events uint32) {
	if events&unix.EPOLLOUT != 0 && !r.flush(c) {
		return
	}
	if events&^unix.EPOLLOUT == 0 {
		return
	}
	n := copy(r.buf, c.in)
	got, err := unix.Read(c.fd, r.buf[n:])
	if err == unix.EAGAIN {
		return
	}
	if err != nil || got == 0 {
		r.drop(c)
		return
	}
	rest := r.serve(c, r.buf[:n+got])
	if c.in = append(c.in[:0], rest...); len(c.in) == 0 {
		c.in = nil
	}
}

// write writes now what the socket takes, and the rest when it has room.
func (r *raw) write(c *rawConn, b []byte) {
	if len(c.out) > 0 {
		c.out = append(c.out, b...)
		return
	}
	n, err := unix.Write(c.fd, b)
	if n == len(b) {
		return
	}
	if err != nil && err != unix.EAGAIN {
		c.gone = true // the loop hears of it, and must not lose it from under a fan-out
		return
	}
	c.out = append(c.out, b[max(n, 0):]...)
	_ = r.watch(unix.EPOLL_CTL_MOD, c.fd, unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLOUT)
}

func (r *raw) flush(c *rawConn) bool {
	n, err := unix.Write(c.fd, c.out)
	if err != nil && err != unix.EAGAIN {
		r.drop(c)
		return false
	}
	if c.out = c.out[max(n, 0):]; len(c.out) == 0 {
		c.out = nil
		_ = r.watch(unix.EPOLL_CTL_MOD, c.fd, unix.EPOLLIN|unix.EPOLLRDHUP)
	}
	return true
}

func (r *raw) drop(c *rawConn) {
	r.conns[c.fd] = nil
	unix.Close(c.fd)
	is := func(o *rawConn) bool { return o == c }
	if c.followsOne() {
		t := r.topics[c.filters[0]]
		t.followers = slices.DeleteFunc(t.followers, is)
	} else {
		r.several = slices.DeleteFunc(r.several, is)
	}
}
