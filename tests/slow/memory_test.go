//go:build linux

package slow

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// What waits for clients that never read is bounded by what the configuration
// says, however much is published. Clients share what waits for them, so it is the
// flood itself that has to be more than the bound.
func TestMemoryDoesNotHoldWhatNobodyReads(t *testing.T) {
	t.Parallel()
	const stuck = 20
	batches := trial.Pick(100, 300) // and both floods stay in the log
	table := trial.NewTable(t, "slow-memory", fmt.Sprintf("%d clients that never read, in a flood", stuck))
	hub := trial.Hub(t, "NAVE_CLIENT_WRITE_TIMEOUT=5m")
	l := &load{t: t, hub: hub, start: time.Now()}
	flood := kind{prefix: bulkTopic, topics: 4, size: 16 << 10, batch: 12} // fits into a mailbox
	// Within the minute for which the kernel keeps a connection that takes nothing.
	flooded := func() harness.Usage { l.flood(batches, 40*time.Second, flood); return trial.Usage(t, hub) }

	without := flooded()
	before := len(l.all())
	g := newGroup(t, "never reads", stuck, dialer(hub, nil))
	with := flooded()
	if n := g.stuck(connections(t, hub)); n != stuck {
		t.Errorf("only %d of %d clients were stuck until the end", n, stuck)
	}
	published := int64((len(l.all()) - before) * flood.size)
	one := slices.Clip(g[:1])
	one.catchUp(t, l.last())
	found := one.judge(t, l.all(), l.last())

	allowed := allowed(stuck)
	grown := with.PeakRSS - without.PeakRSS
	table.Row("published in the flood without, with", fmt.Sprintf("more than %d MB", 2*allowed>>20), "%d, %d MB", before*flood.size>>20, published>>20)
	table.Row("most RSS without, with", "", "%d, %d MB", without.PeakRSS>>20, with.PeakRSS>>20)
	table.Row("more with than without", fmt.Sprintf("%d MB or less", allowed>>20), "%d MB", grown>>20)
	if published < 2*allowed {
		t.Errorf("%d MB were published, too little to show that they are not held", published>>20)
	}
	if grown > allowed {
		t.Errorf("memory grew by %d MB, where what waits takes %d MB at most", grown>>20, allowed>>20)
	}
	table.Row("resets told to one that reads again", "", "%d", found.resets)
	table.Count("events lost to it, double, or nobody's", found.lost+found.double+found.foreign)
}
