package wiring

import (
	"net"
	"net/netip"
	"sync"

	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/telemetry"
)

// A census knows how many connections are open, and from where.
type census struct {
	// Set before use, never changed.
	total  int64                 // the most of all
	each   int                   // the most of one address; 0 is without limit
	exempt func(netip.Addr) bool // whom each does not hold for

	mu   sync.Mutex
	open int64
	from map[netip.Addr]int // has nobody who has no connection
}

// enter counts a connection, unless there is a reason to refuse it.
func (c *census) enter(home netip.Addr) (reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case home.IsValid() && c.from[home] >= c.each:
		return telemetry.RefusalAddress
	case c.open >= c.total:
		return telemetry.RefusalTotal
	}
	c.open++
	if home.IsValid() {
		if c.from == nil {
			c.from = make(map[netip.Addr]int)
		}
		c.from[home]++
	}
	return ""
}

// leave undoes enter.
func (c *census) leave(home netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
	switch n := c.from[home]; n {
	case 0:
	case 1:
		delete(c.from, home)
	default:
		c.from[home] = n - 1
	}
}

// home is the address that a connection counts for: its peer's, or that one's
// network, since who has an address of IPv6 has all of a /64. It is not valid if it
// counts for nobody.
func (c *census) home(conn ends) netip.Addr {
	at := addressOf(conn.RemoteAddr())
	switch {
	case c.each == 0 || !at.IsValid() || c.exempt(at):
		return netip.Addr{}
	case at == addressOf(conn.LocalAddr()): // this machine, by the name that others have for it
		return netip.Addr{}
	}
	return client.Network(at)
}

// ends are a connection's.
type ends interface {
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
}

func addressOf(end net.Addr) netip.Addr {
	tcp, ok := end.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}
