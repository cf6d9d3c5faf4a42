package tests

import (
	"fmt"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
)

// A client that was away for 100,000 events of which 10 are its own gets the 10.
// That the others are not even read is shown where it can be counted, in the
// tests of pebblelog; here it shows in the time that it takes.
func TestAwayForAHundredThousandEvents(t *testing.T) {
	hub := startHub(t)
	c := follow(t, hub, "mine/1")
	publish(t, hub, card("mine/1", "", "before"))
	saw(t, c, 1)
	cursor := c.Cursor()
	var own []uint64
	for i := range 100 {
		batch := make([]harness.Event, 1000)
		for k := range batch {
			batch[k] = card(fmt.Sprintf("busy/%d", k%50), "", k)
		}
		if i%10 == 5 {
			batch[500].Topic = "mine/1"
			own = append(own, publish(t, hub, batch...).Events[500].Offset)
			continue
		}
		publish(t, hub, batch...)
	}
	if err := hub.Kill(); err != nil { // nothing is in memory then
		t.Fatal(err)
	}
	begin(t, hub)
	start := time.Now()
	back := resume(t, hub, cursor, "mine/1")
	seen := saw(t, back, len(own))
	took := time.Since(start)
	whole := time.Now()
	saw(t, resume(t, hub, cursor, "**"), 100_000)
	figure(t, "away for 100,000 events: the 10 of its own after %v; all 100,000 for another client after %v",
		took.Round(time.Millisecond), time.Since(whole).Round(time.Millisecond))
	for i, s := range seen {
		if s.Offset != own[i] {
			t.Errorf("event %d is %d, want %d", i, s.Offset, own[i])
		}
	}
}
