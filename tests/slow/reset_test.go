//go:build linux

package slow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/tests/trial"
)

// When what a slow client has not read leaves the log, it is told so: on the
// connection that it has, or when it comes back.
func TestSlowClientsAreToldOfRetention(t *testing.T) {
	t.Parallel()
	n := trial.Pick(10, 100)
	table := trial.NewTable(t, "slow-reset", "slow clients that retention overtakes")
	hub := trial.Hub(t, "NAVE_LOG_RETENTION_DURABLE_BYTES=1MiB", "NAVE_CLIENT_WRITE_TIMEOUT=1m")
	l := &load{t: t, hub: hub, start: time.Now()}
	one := kind{prefix: bulkTopic, topics: 4, size: 16 << 10, batch: 12} // fits into a mailbox
	l.one(time.Now(), one, bulkTopic+"0")
	stay := newGroup(t, "stays and reads nothing", n, dialer(hub, nil))
	leave := newGroup(t, "leaves", n, dialer(hub, nil))
	both := slices.Concat(stay, leave)
	both.each(t, "read the verdict", func(c *slowClient) error { return c.read(1) })
	l.one(time.Now(), one, bulkTopic+"0")
	leave.catchUp(t, l.last())
	leave.close()

	l.flood(16, time.Minute, one) // past the ring of recent events, and all buffers
	published := len(l.all()) * one.size >> 20
	trial.Eventually(t, func() (string, bool) {
		held := metric(t, hub, "nave_log_size_bytes")
		return fmt.Sprintf("the log holds %v bytes", held), held < 2<<20
	})
	// They read beside publishers that go on, so that who has skipped something
	// soon gets what comes after it.
	target := l.last()
	ctx, end := context.WithCancel(t.Context())
	var publishing sync.WaitGroup
	publishing.Go(func() { l.until(ctx, kind{prefix: smallTopic, topics: 1, rate: 10, size: 100, batch: 1}) })
	both.catchUp(t, target)
	end()
	publishing.Wait()
	both.catchUp(t, l.last())

	found := both.judge(t, l.all(), l.last())
	table.Row("clients that stay, that leave", "", "%d, %d", n, n)
	table.Row("published past them; kept", "", "%d MB; 1 MB", published)
	table.Row("told reset on the connection they had", fmt.Sprint(n), "%d", stay.told())
	table.Row("told reset when they came back", fmt.Sprint(n), "%d", leave.told())
	if stay.told() != n || leave.told() != n {
		t.Errorf("of %d clients that stayed %d were told, of %d that left %d", n, stay.told(), n, leave.told())
	}
	if back := stay.resumed(); back > 0 {
		t.Errorf("%d clients that stayed were cut off", back)
	}
	table.Count("events lost to them without a word", found.lost)
	table.Count("events they got twice, or late", found.double)
	table.Count("events they got that nobody published", found.foreign)
}

// told counts the clients that were told once, and only for retention.
func (g group) told() (n int) {
	for _, c := range g {
		resets := slices.DeleteFunc(slices.Clone(c.log), func(m told) bool { return !strings.HasPrefix(m.sync, "reset") })
		if len(resets) == 1 && resets[0].sync == "reset retention" {
			n++
		}
	}
	return n
}
