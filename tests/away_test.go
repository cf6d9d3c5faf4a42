package tests

import (
	"fmt"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// A client that was away for 100,000 events of which 10 are its own gets the 10.
// That the others are not even read is shown where it can be counted, in the
// tests of pebblelog; here it shows in the time that it takes.
func TestAwayForAHundredThousandEvents(t *testing.T) {
	table := trial.NewTable(t, "away", "away for 100,000 events, over a restart")
	hub := trial.Hub(t)
	c := trial.Follow(t, hub, "mine/1")
	trial.Publish(t, hub, card("mine/1", "", "before"))
	trial.Saw(t, c, 1)
	cursor := c.Cursor()
	var own []uint64
	for i := range 100 {
		batch := make([]harness.Event, 1000)
		for k := range batch {
			batch[k] = card(fmt.Sprintf("busy/%d", k%50), "", k)
		}
		if i%10 == 5 {
			batch[500].Topic = "mine/1"
			own = append(own, trial.Publish(t, hub, batch...).Events[500].Offset)
			continue
		}
		trial.Publish(t, hub, batch...)
	}
	if err := hub.Kill(); err != nil { // nothing is in memory then
		t.Fatal(err)
	}
	trial.Begin(t, hub)
	start := time.Now()
	back := trial.Resume(t, hub, cursor, "mine/1")
	seen := trial.Saw(t, back, len(own))
	took := time.Since(start)
	whole := time.Now()
	trial.Saw(t, trial.Resume(t, hub, cursor, "**"), 100_000)
	table.Row("until a client has the 10 that are its own", "", "%v", took.Round(time.Millisecond))
	table.Row("until another has all 100,000", "", "%v", time.Since(whole).Round(time.Millisecond))
	for i, s := range seen {
		if s.Offset != own[i] {
			t.Errorf("event %d is %d, want %d", i, s.Offset, own[i])
		}
	}
}
