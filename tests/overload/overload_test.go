// Package overload tries to give the hub more of everything than it can take:
// publishers, bodies, connections, topics, clients that all come back at once,
// and clients that all want the whole log. Each time the hub has to hold its
// bounds, to refuse in words, to lose nothing that it accepted, and to be as
// before once it is over.
//
// It measures memory and speed, so the hub is the plain program, without the race
// detector, whatever the tests are built with.
package overload

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

var (
	clients = flag.Int("clients", 0, "how many clients, publishers or connections there are; 0 for what the form has")
	length  = flag.Duration("for", 0, "how long a load lasts; 0 for what the form has")
	seed    = flag.Uint64("seed", 0, "of every random choice; 0 for a new one")
)

func TestMain(m *testing.M) { trial.Main(m) }

// many is how many clients there are.
func many(inShort, inLong int) int {
	if *clients > 0 {
		return *clients
	}
	return trial.Pick(inShort, inLong)
}

// lasting is how long a load lasts.
func lasting(inShort, inLong time.Duration) time.Duration {
	if *length > 0 {
		return *length
	}
	return trial.Pick(inShort, inLong)
}

// chooseSeed says which seed it was if the test fails.
func chooseSeed(t *testing.T) uint64 {
	t.Helper()
	chosen := *seed
	if chosen == 0 {
		chosen = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("again with -seed %d", chosen)
		}
	})
	return chosen
}

// recovery is how soon after a load everything must be as before. The short form
// runs beside other tests.
func recovery() time.Duration { return trial.Pick(10*time.Second, time.Second) }

// hubWith is a hub that may open so many files.
func hubWith(t *testing.T, files int, env ...string) *harness.Process {
	t.Helper()
	p := trial.NewHub(t, trial.Program(t), env...)
	p.Files = files
	trial.Begin(t, p)
	return p
}

// sources are local addresses enough for so many connections.
func sources(n int) (all []string) {
	for i := range n/10_000 + 1 {
		all = append(all, "127.0.1."+string(rune('1'+i)))
	}
	return all
}

// gather is a crowd that has come, and leaves when the test ends.
func gather(t *testing.T, hub *harness.Process, size int, filters func(int) []string, change func(*harness.Crowd)) *harness.Crowd {
	t.Helper()
	c := &harness.Crowd{Addr: hub.Addr, Size: size, Filters: filters, Sources: sources(size)}
	if change != nil {
		change(c)
	}
	t.Cleanup(c.Leave)
	c.Come(t.Context())
	arrive(t, c, size)
	return c
}

// arrive waits until so many are connected.
func arrive(t *testing.T, c *harness.Crowd, n int) {
	t.Helper()
	if err := c.Await(trial.Within(t, 5*time.Minute), n, harness.IsConnected); err != nil {
		t.Fatalf("waiting for the crowd: %v", err)
	}
}

func following(filters ...string) func(int) []string {
	return func(int) []string { return filters }
}
