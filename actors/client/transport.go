package client

import "time"

// A Transport is one connection's write side. The client actor owns it: it alone
// calls Write and Close, one at a time.
type Transport interface {
	// Write writes all pieces, in order, or fails: after timeout at the latest,
	// and from then on always. It keeps neither pieces nor their bytes.
	Write(pieces [][]byte, timeout time.Duration) error
	// OnGone asks for one call of gone when the peer has closed the connection.
	// The call must not block; it may come at once, and on any goroutine. None
	// comes after Close has returned, but one may be under way then.
	OnGone(gone func())
	// Close ends the connection. Closing twice is no error.
	Close() error
	// Protocol is "h1" or "h2", for metrics and the registry.
	Protocol() string
}

// A socket is a transport that can tell what it has room for.
type socket interface {
	// TryWrite writes what goes without waiting, and returns how many bytes that
	// was.
	TryWrite(pieces [][]byte) (n int, err error)
	// Backlog is how many bytes were written and not acknowledged by the peer.
	Backlog() int
}
