package client

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A poller notices the ends of connections that nobody reads from.
//
// It keeps an epoll instance, and one goroutine, while it has a connection to
// watch. The instance is itself polled by Go's runtime, so that the goroutine
// holds no thread while it waits, and closing the instance wakes it.
type poller struct {
	mu      sync.Mutex
	serial  uint64 // of the youngest connection: never used again, as descriptors are
	running *epoll // nil while nothing is watched
}

// An epoll is one run of the poller, from the first connection to the last.
type epoll struct {
	fd   int
	file *os.File // owns fd
	raw  syscall.RawConn
	gone map[uint64]func() // guarded by the poller's mu
	done chan struct{}     // closed when the goroutine has ended
}

// ends are what is asked about: RDHUP is the peer's FIN, the others are always
// reported. Once is enough, and keeps a broken connection that is not closed yet
// from being reported for ever.
const ends = unix.EPOLLRDHUP | unix.EPOLLONESHOT

// add watches a connection until remove, and calls gone if it ends before, at once if
// it has ended already. The descriptor must stay the connection's until then; -1 is
// none, of which nothing can be noticed.
func (p *poller) add(fd int, gone func()) (serial uint64, err error) {
	if fd < 0 {
		return 0, errors.ErrUnsupported
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e, err := p.run()
	if err != nil {
		return 0, err
	}
	p.serial++
	serial = p.serial
	e.gone[serial] = gone // before an event can look for it
	if err := e.ctl(unix.EPOLL_CTL_ADD, fd, serial); err != nil {
		p.forget(e, serial)
		return 0, err
	}
	return serial, nil
}

// remove ends the watch over a connection that is about to be closed, with which
// the kernel drops it. A call of gone may be under way; no other comes. With the
// last connection the goroutine ends, and is waited for.
func (p *poller) remove(serial uint64) {
	p.mu.Lock()
	e := p.running
	last := p.forget(e, serial)
	p.mu.Unlock()
	if last {
		<-e.done
	}
}

// run is the epoll that runs, or a new one.
func (p *poller) run() (*epoll, error) {
	if p.running != nil {
		return p.running, nil
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil { // or os.NewFile would not poll it
		return nil, errors.Join(err, unix.Close(fd))
	}
	file := os.NewFile(uintptr(fd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	p.running = &epoll{fd: fd, file: file, raw: raw, gone: make(map[uint64]func()), done: make(chan struct{})}
	go p.wait(p.running)
	return p.running, nil
}

// forget drops a connection, and with the last one stops e.
func (p *poller) forget(e *epoll, serial uint64) (last bool) {
	delete(e.gone, serial)
	if len(e.gone) > 0 {
		return false
	}
	p.running = nil
	_ = e.file.Close()
	return true
}

// wait calls for every connection that ends, until e is closed.
func (p *poller) wait(e *epoll) {
	defer close(e.done)
	events := make([]unix.EpollEvent, 64)
	for {
		n := 0
		err := e.raw.Read(func(fd uintptr) bool {
			n, _ = unix.EpollWait(int(fd), events, 0)
			return n > 0
		})
		if err != nil {
			return
		}
		for i := range n {
			p.mu.Lock()
			gone := e.gone[serialOf(&events[i])]
			p.mu.Unlock()
			if gone != nil {
				gone()
			}
		}
	}
}

func (e *epoll) ctl(op, fd int, serial uint64) error {
	event := unix.EpollEvent{Events: ends, Fd: int32(uint32(serial)), Pad: int32(uint32(serial >> 32))}
	return unix.EpollCtl(e.fd, op, fd, &event)
}

// serialOf is the event's data, all 64 bits of which are ours.
func serialOf(e *unix.EpollEvent) uint64 {
	return uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32
}

// control calls f with the descriptor, which stays the connection's meanwhile.
func control(raw syscall.RawConn, f func(fd int) error) error {
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}

// ListenConfig makes listeners that hand on to their connections what [Hijack]
// gives each of them otherwise, by a dozen system calls.
func ListenConfig() *net.ListenConfig {
	c := &net.ListenConfig{
		KeepAlive: -1, // net would set it anew for each connection
		Control: func(_, _ string, raw syscall.RawConn) error {
			return control(raw, setOptions)
		},
	}
	c.SetMultipathTCP(false) // which does not hand them on
	return c
}

// setOptions bounds what the kernel holds for a peer, and breaks the connection if
// that is silent for too long. Keep-alive does not see to what was sent and finds
// no answer: it probes only when nothing is sent.
func setOptions(fd int) error {
	set := func(level, option, value int) error {
		return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, level, option, value))
	}
	return errors.Join(
		set(unix.SOL_SOCKET, unix.SO_SNDBUF, socketBuffer),
		set(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1),
		set(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int(keepAlive.Idle.Seconds())),
		set(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, int(keepAlive.Interval.Seconds())),
		set(unix.IPPROTO_TCP, unix.TCP_KEEPCNT, keepAlive.Count),
		set(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(peerPatience.Milliseconds())),
	)
}

// prepare sets the options, unless a listener of ours has. What a connection does
// not support it does without. It returns the descriptor, -1 if there is none.
func prepare(conn net.Conn) (fd int) {
	fd = -1
	polled, ok := conn.(syscall.Conn)
	if !ok {
		return fd
	}
	raw, err := polled.SyscallConn()
	if err != nil {
		return fd
	}
	_ = control(raw, func(of int) error {
		fd = of
		patience, err := unix.GetsockoptInt(of, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
		if err == nil && patience == int(peerPatience.Milliseconds()) {
			return nil
		}
		return setOptions(of)
	})
	return fd
}

// backlog is how many bytes were written and have not been acknowledged by the peer.
func backlog(fd int) int {
	n, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
	if err != nil {
		return 0
	}
	return n
}

// tryWrite writes what the socket has room for.
func tryWrite(fd int, pieces [][]byte) (n int, err error) {
	if len(pieces) == 1 {
		n, err = unix.Write(fd, pieces[0])
	} else {
		const most = 1024 // of the kernel
		n, err = unix.Writev(fd, pieces[:min(len(pieces), most)])
	}
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return 0, nil
	}
	return max(n, 0), err
}
