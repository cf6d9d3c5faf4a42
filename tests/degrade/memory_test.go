package degrade

import (
	"fmt"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/tests/trial"
)

// Memory nears its budget: readers that have stopped hold back what is each one's own. The
// hub gives up one thing after the other, and comes back once they are cut off.
func TestMemoryNearsItsBudget(t *testing.T) {
	clients, stalled := trial.Pick(20, 200), trial.Pick(45, 60)
	table := trial.NewTable(t, "memory-levels", "memory nears its budget of 160 MiB")
	hub := trial.Hub(t, hold(), "GOMEMLIMIT=160MiB",
		"NAVE_LIMITS_MAILBOXES=1GiB", "NAVE_CLIENT_MAILBOX=4MiB", "NAVE_CLIENT_MAX_LAG=5m", "NAVE_CLIENT_WRITE_TIMEOUT=30s")
	all := gather(t, hub, clients)
	levels := watchLevel(t, hub)
	load := publish(t, hub, 5*time.Millisecond, number)
	for i := range stalled {
		stall(t, hub, fmt.Sprintf("b/%d", i))
	}
	time.Sleep(time.Second)

	client := newClient(t, hub, nil)
	text := large(200 << 10)
	for i := range 20 * stalled { // 4 MiB of each one's own
		if _, err := client.Publish(t.Context(), nave.Event{Topic: nave.Topic(fmt.Sprintf("b/%d", i%stalled)), Type: "moved", Data: text(i)}); err != nil {
			t.Fatal(err)
		}
	}
	levels.awaitWorse(30 * time.Second)
	levels.await(4*time.Minute, nave.LevelNormal)
	want := load.end()
	u := trial.Usage(t, hub)

	table.Row("clients, and readers that stop", "", "%d, %d", clients, stalled)
	table.Row(fmt.Sprintf("events acknowledged, beside %d MB for those that stop", 4*stalled), "", "%d", len(want))
	table.Row("the most that the process took", "", "%d MB", u.PeakRSS>>20)
	levels.tell(table)
	all.heard(table)
	all.judge(table, want)
}
