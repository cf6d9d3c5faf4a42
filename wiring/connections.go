package wiring

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/config"
	"github.com/navehub/nave/httpapi"
	"github.com/navehub/nave/process"
	"github.com/navehub/nave/telemetry"
)

// logDescriptors are kept free: 256 for Pebble's tables, the others for its write
// ahead, for the process, and for connections that are being refused. Connections
// that take them would break the log.
const logDescriptors = 320

// connectionLimit is how many connections, idle ones and streams included, leave
// the log enough descriptors.
func connectionLimit(cfg config.Config, logger *slog.Logger) int64 {
	limit := int64(max(process.FileLimit()-logDescriptors, 16))
	if limit < int64(cfg.Limits.Connections)*9/10 {
		logger.Warn("the process may open fewer files than limits.connections asks for; raise its limit (ulimit -n)",
			"limits.connections", cfg.Limits.Connections, "connections", limit)
	}
	return limit
}

const (
	// refusals are how many connections are refused at a time in so many words;
	// more are closed at once.
	refusals = 32
	// refusalPatience is how long such a one may take for its request, and for TLS.
	refusalPatience = time.Second
)

// A boundedListener accepts only so many connections at a time. Others are told to
// come again.
type boundedListener struct {
	net.Listener
	census   *census
	refusals map[string][]byte // by reason
	tls      *tls.Config       // of connections that are refused; nil for plain HTTP
	refused  func(reason string)

	turns    chan struct{} // to be refused
	refusing sync.WaitGroup
}

// newBoundedListener bounds l by what the census has for limits. It calls refused
// for each connection that there is no room for.
func newBoundedListener(l net.Listener, c *census, tls *tls.Config, refused func(reason string)) *boundedListener {
	const later = 5 * time.Second
	full := nave.Errorf(nave.CodeOverloaded, "the hub has %d connections, as many as it may", c.total).After(later)
	hoard := nave.Errorf(nave.CodeBusy, "this address has %d connections, as many as one may (limits.connections_per_address); "+
		"the address of a proxy, which stands for many, belongs into proxies.trusted", c.each).After(later)
	return &boundedListener{
		Listener: l, census: c, tls: tls, refused: refused, turns: make(chan struct{}, refusals),
		refusals: map[string][]byte{telemetry.RefusalTotal: httpapi.Refusal(full), telemetry.RefusalAddress: httpapi.Refusal(hoard)},
	}
}

// Accept waits for a connection that there is room for.
func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, ok := conn.(*net.TCPConn)
		if !ok {
			_ = conn.Close() // streams need what only TCP has
			continue
		}
		home := l.census.home(tcp)
		reason := l.census.enter(home)
		if reason == "" {
			return &countedConn{TCPConn: tcp, of: l.census, home: home}, nil
		}
		l.refused(reason)
		select {
		case l.turns <- struct{}{}:
			l.refusing.Go(func() { l.refuse(conn, l.refusals[reason]); <-l.turns })
		default:
			_ = conn.Close()
		}
	}
}

// refuse answers once something has come: who is answered before it has asked may
// take the answer for nonsense.
func (l *boundedListener) refuse(conn net.Conn, answer []byte) {
	_ = conn.SetDeadline(time.Now().Add(refusalPatience))
	if l.tls != nil {
		conn = tls.Server(conn, l.tls) // whose handshake is part of the first Read
	}
	defer conn.Close()
	if _, err := conn.Read(make([]byte, 4<<10)); err == nil {
		_, _ = conn.Write(answer)
	}
}

// Close ends the listening, and waits for refusals that are under way.
func (l *boundedListener) Close() error {
	err := l.Listener.Close()
	l.refusing.Wait()
	return err
}

// A countedConn is one of those that are open.
type countedConn struct {
	*net.TCPConn
	of     *census
	home   netip.Addr
	closed atomic.Bool
}

// Close closes the connection, and makes room for another.
func (c *countedConn) Close() error {
	if !c.closed.Swap(true) {
		c.of.leave(c.home)
	}
	return c.TCPConn.Close()
}
