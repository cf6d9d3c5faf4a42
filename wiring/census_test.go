package wiring

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/navehub/nave/config"
	"github.com/navehub/nave/telemetry"
)

// between is a connection between two addresses.
type between struct{ peer, local string }

func (b between) RemoteAddr() net.Addr { return tcpAddress(b.peer) }
func (b between) LocalAddr() net.Addr  { return tcpAddress(b.local) }

func tcpAddress(text string) net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(text), 4711))
}

func TestHome(t *testing.T) {
	cfg := config.Default()
	cfg.Proxies.Trusted = []string{"10.0.0.0/8", "2001:db8:a::/48"}
	c := census{each: 1, exempt: standsForMany(cfg)}
	for peer, want := range map[string]string{
		"203.0.113.9":          "203.0.113.9",
		"::ffff:203.0.113.9":   "203.0.113.9",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::",
		"fe80::1%eth0":         "fe80::",
		"127.0.0.1":            "invalid IP",
		"127.1.2.3":            "invalid IP",
		"::1":                  "invalid IP",
		"::ffff:127.0.0.1":     "invalid IP",
		"10.1.2.3":             "invalid IP",
		"::ffff:10.1.2.3":      "invalid IP",
		"2001:db8:a:ffff::1":   "invalid IP",
		"198.51.100.1":         "invalid IP", // the hub's own
	} {
		if got := c.home(between{peer, "198.51.100.1"}); got.String() != want {
			t.Errorf("the home of %s is %s, want %s", peer, got, want)
		}
	}
	c.each = 0
	if got := c.home(between{"203.0.113.9", "198.51.100.1"}); got.IsValid() {
		t.Errorf("without limit %s is counted", got)
	}
}

// However many come and go at once, nobody has more than there may be, and in the
// end nothing is left.
func TestCensusIsExact(t *testing.T) {
	const total, each, homes = 40, 7, 9
	c := census{total: total, each: each}
	var inside [homes]atomic.Int64
	var all atomic.Int64
	var refused [2]atomic.Int64
	var crowd sync.WaitGroup
	for seed := range uint64(64) {
		crowd.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 1))
			for range 2000 {
				i := rng.IntN(homes)
				home := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
				if i == 0 {
					home = netip.Addr{} // one that is exempt
				}
				switch c.enter(home) {
				case telemetry.RefusalTotal:
					refused[0].Add(1)
				case telemetry.RefusalAddress:
					refused[1].Add(1)
				default:
					if n := inside[i].Add(1); n > each && i > 0 {
						t.Errorf("%d of one address", n)
					}
					if n := all.Add(1); n > total {
						t.Errorf("%d in all", n)
					}
					runtime.Gosched()
					all.Add(-1)
					inside[i].Add(-1)
					c.leave(home)
				}
			}
		})
	}
	crowd.Wait()
	if c.open != 0 || len(c.from) != 0 {
		t.Errorf("%d are left, %v", c.open, c.from)
	}
	t.Logf("%d refused of all, %d of one address", refused[0].Load(), refused[1].Load())
}
