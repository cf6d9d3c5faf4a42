//go:build linux

package load

import (
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// sources are how many addresses of loopback connections come from, in turn: one
// has some 28,000 ports, and those of clients that left are not free at once.
const sources = 8

// A socket is one connection that never blocks.
type socket struct {
	loop *Loop
	fd   int // -1 if there is none
	out  []byte
}

// A Target is a server, and what to show it.
type Target struct {
	Addr  string // host:port
	Token string // "" for none
}

// appendHost adds the headers that every request has.
func (t Target) appendHost(b []byte) []byte {
	b = append(b, "Host: "...)
	b = append(b, t.Addr...)
	if t.Token != "" {
		b = append(b, "\r\nAuthorization: Bearer "...)
		b = append(b, t.Token...)
	}
	return append(b, "\r\n"...)
}

func sockaddr(addr string) (*unix.SockaddrInet4, error) {
	a, err := netip.ParseAddrPort(addr)
	if err != nil || !a.Addr().Is4() {
		return nil, fmt.Errorf("address %q: it must be one of IPv4 with a port, such as 127.0.0.1:8080", addr)
	}
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}, nil
}

// open begins to connect. What is sent meanwhile goes out when that is done.
func (s *socket) open(to *unix.SockaddrInet4, o owner) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	if err := s.connect(fd, to); err != nil {
		unix.Close(fd)
		return err
	}
	l := s.loop
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
		unix.Close(fd)
		return os.NewSyscallError("epoll_ctl", err)
	}
	for len(l.owners) <= fd {
		l.owners = append(l.owners, nil)
	}
	l.owners[fd] = o
	s.fd, s.out = fd, nil
	return nil
}

func (s *socket) connect(fd int, to *unix.SockaddrInet4) error {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if to.Addr[0] == 127 {
		from := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(1 + s.loop.dialled%sources)}}
		s.loop.dialled++
		// The port is chosen by connect, which knows where the connection goes.
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		if err := unix.Bind(fd, from); err != nil {
			return os.NewSyscallError("bind", err)
		}
	}
	if err := unix.Connect(fd, to); err != nil && err != unix.EINPROGRESS {
		return os.NewSyscallError("connect", err)
	}
	return nil
}

// send writes b, now or as soon as there is room.
func (s *socket) send(b []byte) error {
	if len(s.out) > 0 {
		s.out = append(s.out, b...)
		return nil
	}
	n, err := unix.Write(s.fd, b)
	if err != nil && err != unix.EAGAIN {
		return os.NewSyscallError("write", err)
	}
	if n = max(n, 0); n == len(b) {
		return nil
	}
	s.out = append(s.out, b[n:]...)
	return s.listen(unix.EPOLLIN | unix.EPOLLOUT)
}

// flush goes on with what there was no room for.
func (s *socket) flush() error {
	n, err := unix.Write(s.fd, s.out)
	if err != nil && err != unix.EAGAIN {
		return os.NewSyscallError("write", err)
	}
	s.out = s.out[max(n, 0):]
	if len(s.out) > 0 {
		return nil
	}
	s.out = nil
	return s.listen(unix.EPOLLIN)
}

func (s *socket) listen(events uint32) error {
	err := unix.EpollCtl(s.loop.epoll, unix.EPOLL_CTL_MOD, s.fd, &unix.EpollEvent{Events: events, Fd: int32(s.fd)})
	return os.NewSyscallError("epoll_ctl", err)
}

func (s *socket) close() {
	if s.fd >= 0 {
		s.loop.owners[s.fd] = nil
		unix.Close(s.fd)
		s.fd = -1
	}
}

// read appends what has arrived to what was kept from before, in the loop's
// buffer, and returns both; fresh is where the new begins. nil means that there is
// nothing yet, an error that there will be nothing more.
func (s *socket) read(kept []byte) (all []byte, fresh int, err error) {
	l := s.loop
	if len(kept) > len(l.buf)/2 {
		l.buf = make([]byte, 4*len(kept))
	}
	fresh = copy(l.buf, kept)
	n, err := unix.Read(s.fd, l.buf[fresh:])
	l.now = Now()
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return nil, 0, nil
	case err != nil:
		return nil, 0, os.NewSyscallError("read", err)
	case n == 0:
		return nil, 0, errEnded
	}
	return l.buf[:fresh+n], fresh, nil
}
