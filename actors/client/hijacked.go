package client

import (
	"bytes"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// peerPatience is how long a peer may be silent on the level of TCP, probes and
// unacknowledged bytes alike, until its connection counts as broken. Without it
// a peer that vanished without a word would stay for a quarter of an hour.
const peerPatience = time.Minute

// socketBuffer bounds what the kernel holds for a slow reader. Left to itself it
// grows to megabytes, and a writer is let on only when a third of it is free: a
// reader of 100 KB/s would seem to take nothing for longer than WriteTimeout.
const socketBuffer = 256 << 10

// A Hijacker takes HTTP/1.1 connections over from net/http, so that an idle
// stream costs neither a goroutine nor a buffer. It notices the ends of all its
// connections on one goroutine, which starts with the first connection and has
// ended when the last one's Close returns. The zero Hijacker is ready for use.
type Hijacker struct{ watch poller }

// Hijack takes over the connection of w for an answer with status 200, the
// headers that are set on w, and a body that ends with the connection. The head
// goes out with the first Write.
//
// The error is [http.ErrNotSupported] if the connection cannot be taken over, as
// with HTTP/2; then w is as it was, and [NewResponse] serves it. Connections
// with TLS should be served by it too: their records need a buffer anyway. One that
// has a SyscallConn, as whatever embeds a [*net.TCPConn] does, is written to
// directly, and not by a Write of its own.
func (h *Hijacker) Hijack(w http.ResponseWriter) (*Hijacked, error) {
	head := appendHead(nil, http.StatusOK, w.Header())
	conn, _, err := http.NewResponseController(w).Hijack() // with its buffers, and what the peer has pipelined
	if err != nil {
		return nil, err
	}
	return &Hijacked{conn: conn, fd: prepare(conn), head: head, poller: &h.watch}, nil
}

// keepAlive finds out about a peer that has vanished.
var keepAlive = net.KeepAliveConfig{
	Enable:   true,
	Idle:     peerPatience / 2,
	Interval: peerPatience / 2 / probes,
	Count:    probes,
}

const probes = 3

// appendHead writes a response head for a body that ends with the connection.
func appendHead(b []byte, status int, header http.Header) []byte {
	const most = 512
	b = append(slices.Grow(b, most), "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(status)...)
	b = append(b, "\r\nConnection: close\r\n"...)
	if header.Get("Date") == "" {
		b = append(b, "Date: "...)
		b = time.Now().UTC().AppendFormat(b, http.TimeFormat)
		b = append(b, "\r\n"...)
	}
	buf := bytes.NewBuffer(b)
	_ = header.WriteSubset(buf, ours) // a buffer takes everything; line ends in values become spaces
	buf.WriteString("\r\n")
	return buf.Bytes()
}

// ours are the headers that say how the body ends.
var ours = map[string]bool{"Connection": true, "Content-Length": true, "Transfer-Encoding": true}

// Hijacked is a connection taken over from net/http.
//
// A peer that has closed only its sending side counts as gone, as it does for
// net/http: no client of event streams does so and goes on reading.
type Hijacked struct {
	// Set by Hijack, never changed.
	conn   net.Conn
	poller *poller

	// Owned by whoever may call Write.
	fd     int           // conn's; -1 if it has none, or is closed
	head   []byte        // until it is written
	failed error         // of the first Write that failed
	serial uint64        // with the poller; 0 if that does not watch
	done   chan struct{} // closed when the goroutine that reads instead has ended

	closed atomic.Bool
}

var (
	_ Transport = (*Hijacked)(nil)
	_ socket    = (*Hijacked)(nil)
)

// Protocol is "h1".
func (*Hijacked) Protocol() string { return "h1" }

// Write writes all pieces with as few system calls as it takes: most often the
// socket has room, and nothing needs a deadline.
func (t *Hijacked) Write(pieces [][]byte, timeout time.Duration) error {
	if t.failed != nil {
		return t.failed
	}
	if t.head != nil {
		pieces = append([][]byte{t.head}, pieces...)
		t.head = nil
	}
	n, err := t.TryWrite(pieces)
	if err != nil {
		return err
	}
	rest := net.Buffers(after(pieces, n))
	if len(rest) == 0 {
		return nil
	}
	if err := t.conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return t.fail(err)
	}
	if _, err := rest.WriteTo(t.conn); err != nil {
		return t.fail(err)
	}
	return nil
}

// after is the pieces without the first n bytes, in a list of its own unless n is 0.
func after(pieces [][]byte, n int) [][]byte {
	for len(pieces) > 0 && n >= len(pieces[0]) {
		n -= len(pieces[0])
		pieces = pieces[1:]
	}
	if n > 0 {
		pieces = append([][]byte{pieces[0][n:]}, pieces[1:]...)
	}
	return pieces
}

// TryWrite goes past conn, whose deadlines and locks are for those who wait: the
// descriptor cannot become another's while its one writer writes.
func (t *Hijacked) TryWrite(pieces [][]byte) (int, error) {
	switch {
	case t.failed != nil:
		return 0, t.failed
	case t.fd < 0 || t.head != nil:
		return 0, nil
	}
	n, err := tryWrite(t.fd, pieces)
	if err != nil {
		return n, t.fail(err)
	}
	return n, nil
}

// lowWater is how much may be on its way to the peer when a page more is read for
// it, so that the page, of about socketBuffer, is written without waiting.
const lowWater = socketBuffer / 4

// Backlog is how many bytes were written and not acknowledged by the peer.
func (t *Hijacked) Backlog() int {
	if t.fd < 0 || t.head != nil {
		return 0 // as much as is known, or has been written
	}
	return backlog(t.fd)
}

// fail makes the failure last: part of the pieces may have been written.
func (t *Hijacked) fail(err error) error {
	t.failed = err
	return err
}

// Refuse answers with something else than a stream, instead of the first Write,
// and closes the connection.
func (t *Hijacked) Refuse(status int, header http.Header, body []byte, timeout time.Duration) error {
	defer t.Close()
	t.head = appendHead(nil, status, header)
	// Connection: close ends the body too, but with its length a reader knows
	// that it has the whole.
	t.head = append(t.head[:len(t.head)-len("\r\n")], "Content-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"...)
	return t.Write([][]byte{body}, timeout)
}

// OnGone watches for the peer's end.
func (t *Hijacked) OnGone(gone func()) {
	if serial, err := t.poller.add(t.fd, gone); err == nil {
		t.serial = serial
		return
	}
	t.done = make(chan struct{})
	go t.read(gone)
}

// read notices the end of a connection that cannot be polled. What the peer
// sends is ignored.
func (t *Hijacked) read(gone func()) {
	defer close(t.done)
	ignored := make([]byte, 64)
	for {
		if _, err := t.conn.Read(ignored); err != nil {
			break
		}
	}
	if !t.closed.Load() {
		gone()
	}
}

// Close ends the connection.
func (t *Hijacked) Close() error {
	if t.closed.Swap(true) {
		return nil
	}
	t.failed, t.fd = net.ErrClosed, -1
	if t.serial > 0 {
		t.poller.remove(t.serial)
	}
	err := t.conn.Close()
	if t.done != nil {
		<-t.done
	}
	return err
}
