package main

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// connections are those on which the hub answers, streams among them. The zero
// value is ready for use.
type connections struct {
	mu  sync.Mutex
	all map[*conn]struct{}
}

// A conn is one of the server's.
type conn struct {
	*net.TCPConn
	of       *connections
	hijacked atomic.Bool // by the hub, for a stream, until Close
}

// Close closes the connection.
func (c *conn) Close() error {
	c.of.forget(c)
	return c.TCPConn.Close()
}

type connKey struct{}

// enter notes a request to the hub, until leave; one that became a stream stays.
func (a *connections) enter(r *http.Request) (leave func()) {
	c, ok := r.Context().Value(connKey{}).(*conn)
	if !ok {
		return func() {} // the server is somebody else's
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil {
		a.all = make(map[*conn]struct{})
	}
	a.all[c] = struct{}{}
	return func() {
		if !c.hijacked.Load() {
			a.forget(c)
		}
	}
}

func (a *connections) forget(c *conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.all, c)
}

// cut breaks all of them, in the middle of whatever they carry. Their owners close
// them: the hub waits for their descriptors.
func (a *connections) cut() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for c := range a.all {
		_ = c.CloseWrite() // it has been broken already, if this fails
		_ = c.CloseRead()
	}
}

// A listener makes connections that can be cut.
type listener struct {
	net.Listener
	of *connections
}

// Accept waits for the next one.
func (l listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			return &conn{TCPConn: tcp, of: l.of}, nil
		}
		_ = c.Close() // streams need what only TCP has
	}
}

// watch has a server tell which connection a request comes by.
func watch(s *http.Server) {
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, c)
	}
	s.ConnState = func(c net.Conn, state http.ConnState) {
		if c, ok := c.(*conn); ok && state == http.StateHijacked {
			c.hijacked.Store(true)
		}
	}
}
