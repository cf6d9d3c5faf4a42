//go:build linux

// Package slow tries what clients that are slow or dead do to those that are not,
// to the hub, and to themselves.
//
// Healthy clients follow some topics. In every other stretch of time there are
// beside them clients that never read, clients that read a byte a second, and
// clients whose network has vanished without a word, while far more is published
// than all buffers on the way can hold. The healthy ones are to get their events
// as fast as without the others; the hub's memory is to stay within what its
// configuration says; and each of the others, when it reads again, is to get
// everything once and in order, or to be told that it cannot.
package slow

import (
	"context"
	"flag"
	"net"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

var (
	healthyFlag = flag.Int("healthy", 0, "healthy clients; 0 is as the form says")
	badFlag     = flag.Int("bad", 0, "clients of each bad kind; 0 is as the form says")
	pairsFlag   = flag.Int("pairs", 0, "stretches without and with bad clients; 0 is as the form says")
	stretchFlag = flag.Duration("stretch", 0, "the length of a stretch; 0 is as the form says")
)

// sizes are how much is tried.
type sizes struct {
	healthy, bad, pairs int
	stretch             time.Duration
	small, bulk         kind
	writeTimeout        time.Duration
}

func chosen() sizes {
	s := sizes{
		healthy: orElse(*healthyFlag, trial.Pick(200, 1000)),
		bad:     orElse(*badFlag, trial.Pick(10, 50)),
		pairs:   orElse(*pairsFlag, trial.Pick(1, 3)),
		stretch: orElse(*stretchFlag, trial.Pick(6*time.Second, 20*time.Second)),
		small:   kind{prefix: smallTopic, topics: 4, rate: 30, size: 1000, batch: 1},
		bulk:    kind{prefix: bulkTopic, topics: 4, rate: trial.Pick(20, 10), size: 16 << 10, batch: 3},
	}
	// So that whoever is bad stays so for the whole stretch, and can still read on
	// after it.
	s.writeTimeout = s.stretch + trial.Pick(4*time.Second, 6*time.Second)
	return s
}

func orElse[T comparable](asked, else_ T) T {
	var zero T
	if asked != zero {
		return asked
	}
	return else_
}

// network makes a network of its own for the test, or skips it.
func network(t *testing.T) *harness.Network {
	t.Helper()
	n, err := harness.NewNetwork(t.Context())
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// hubAt runs a hub that listens at the host's address on a network, where it is
// reached from everywhere.
func hubAt(t *testing.T, n *harness.Network, env ...string) *harness.Process {
	t.Helper()
	hub := trial.NewHub(t, trial.Program(t), env...)
	_, port, err := net.SplitHostPort(hub.Addr)
	if err != nil {
		t.Fatal(err)
	}
	hub.Addr = net.JoinHostPort(n.Host.String(), port)
	trial.Begin(t, hub)
	return hub
}

// dialer dials the hub from the host itself, or from inside a network.
func dialer(hub *harness.Process, n *harness.Network) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		if n == nil {
			return (&net.Dialer{}).DialContext(ctx, "tcp", hub.Addr)
		}
		return n.Dial(ctx, hub.Addr)
	}
}
