package client

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Response is a response of net/http as a transport: for HTTP/2, for TLS, and
// wherever the connection cannot be taken over. Its handler must not return
// before Wait does, for then the response is not its own any more.
type Response struct {
	// Set by NewResponse, never changed.
	w        http.ResponseWriter
	rc       *http.ResponseController
	ctx      context.Context // the request's, which ends with the connection
	protocol string
	done     chan struct{} // closed by Close

	mu     sync.Mutex // held while w is in use, so that Close waits
	closed bool
	failed error // of the first Write that failed
	unGone func() bool
}

var _ Transport = (*Response)(nil)

// NewResponse makes a transport of a handler's arguments. The first Write sends
// the headers that are set on w, with status 200.
func NewResponse(w http.ResponseWriter, r *http.Request) *Response {
	t := &Response{
		w:        w,
		rc:       http.NewResponseController(w),
		ctx:      r.Context(),
		protocol: "h" + strconv.Itoa(r.ProtoMajor),
		done:     make(chan struct{}),
		unGone:   func() bool { return true },
	}
	// The server's timeout for reading a request would end the stream: with it
	// ends net/http's watch over the connection.
	_ = t.rc.SetReadDeadline(time.Time{})
	return t
}

// Protocol is "h1" or "h2".
func (t *Response) Protocol() string { return t.protocol }

// Write writes and flushes all pieces.
func (t *Response) Write(pieces [][]byte, timeout time.Duration) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return http.ErrServerClosed
	case t.failed == nil:
		t.failed = t.write(pieces, timeout)
	}
	return t.failed
}

func (t *Response) write(pieces [][]byte, timeout time.Duration) error {
	if err := t.rc.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return fmt.Errorf("set the write deadline: %w", err)
	}
	for _, p := range pieces {
		if _, err := t.w.Write(p); err != nil {
			return err
		}
	}
	if err := t.rc.Flush(); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	// A deadline left behind ends an HTTP/2 stream although nothing is written.
	return t.rc.SetWriteDeadline(time.Time{})
}

// OnGone watches the request's context.
func (t *Response) OnGone(gone func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.unGone = context.AfterFunc(t.ctx, gone)
	}
}

// Close lets the handler go. The response ends when it returns.
func (t *Response) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.closed = true
		t.unGone()
		close(t.done)
	}
	return nil
}

// Wait returns when the transport is closed. Nothing touches the response from
// then on.
func (t *Response) Wait() { <-t.done }
