//go:build linux

package slow

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// A client that vanishes while nothing is published is noticed too, whether the
// hub sends heartbeats or only the kernel's probes find out.
func TestVanishedIdleClientsAreNoticed(t *testing.T) {
	if !trial.Long() {
		t.Skip("noticing takes more than a minute: run it with -long")
	}
	t.Parallel()
	var rows sync.Mutex
	table := trial.NewTable(t, "slow-idle", "clients that vanish while nothing happens")
	// A minute without an answer, to what was sent or to probes, ends a connection,
	// or an eighth later: so coarse are the kernel's timers.
	const minute = time.Minute * 9 / 8
	for _, c := range []struct {
		name             string
		heartbeat, limit time.Duration
	}{
		{"a heartbeat every 15 s", 15 * time.Second, 15*time.Second + minute},
		{"no heartbeat", time.Hour, minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := network(t)
			hub := hubAt(t, n, "NAVE_CLIENT_HEARTBEAT="+c.heartbeat.String())
			took := vanishIdle(t, n, hub, 2*c.limit)
			rows.Lock()
			defer rows.Unlock()
			table.Row("noticed, with "+c.name, "within "+c.limit.String(), "%v", took.Round(100*time.Millisecond))
			if took > c.limit {
				t.Errorf("noticed after %v, want %v", took, c.limit)
			}
		})
	}
}

// vanishIdle lets clients vanish that have everything, and says after what time
// the hub had given them all up. What they missed they get when they return.
func vanishIdle(t *testing.T, n *harness.Network, hub *harness.Process, patience time.Duration) time.Duration {
	t.Helper()
	const clients = 20
	l := &load{t: t, hub: hub, start: time.Now()}
	l.one(time.Now(), kind{size: 100, batch: 1}, bulkTopic+"0")
	g := newGroup(t, "vanishes while idle", clients, dialer(hub, n))
	g.each(t, "read the verdict", func(c *slowClient) error { return c.read(1) })
	if err := n.Vanish(t.Context()); err != nil {
		t.Fatal(err)
	}
	vanished := time.Now()
	if here := g.connected(connections(t, hub)); here != clients {
		t.Fatalf("the hub has %d of %d connections right after their network has vanished", here, clients)
	}
	untilConnected(t, hub, patience, func(hubs map[string]int) (string, bool) {
		return fmt.Sprintf("%d connections", len(hubs)), g.connected(hubs) == 0
	})
	took := time.Since(vanished)
	trial.Eventually(t, func() (string, bool) {
		active := metric(t, hub, "nave_connection_active")
		return fmt.Sprintf("%v connections active", active), active == 0
	})
	l.one(time.Now(), kind{size: 100, batch: 1}, bulkTopic+"0")
	if err := n.Return(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.catchUp(t, l.last())
	if found := g.judge(t, l.all(), l.last()); found.resets > 0 {
		t.Errorf("%d clients were told reset, though nothing has left the log", found.resets)
	}
	return took
}
