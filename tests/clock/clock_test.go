// Package clock tries what time does to a hub. The wall clock of a running hub is
// set days ahead and back, for longer than it takes retention to be applied; the
// hub is suspended; clients sleep with their sockets open. No event is lost, no id
// is forgotten, and nobody makes up for the time that has gone: heartbeats and the
// hub's processor are watched.
package clock

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/tests/history"
	"github.com/navehub/nave/tests/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

const day = 24 * time.Hour

// Each case has a hub of its own, and they run at the same time: most of their
// time is spent waiting for the hub to apply retention.
func TestClock(t *testing.T) {
	trial.CheckedProgram(t)
	table := trial.NewTable(t, "clock", "clock jumps, suspension, sleep")
	trips := []trip{
		{name: "8 days ahead, past retention, and back", jumps: []time.Duration{8 * day, -8 * day}},
		{name: "25 hours ahead, past the ids' window, and back", jumps: []time.Duration{25 * time.Hour, -25 * time.Hour}},
		{name: "8 days back, and ahead again", jumps: []time.Duration{-8 * day, 8 * day}},
	}
	if trial.Long() {
		trips = append(trips,
			trip{name: "8 days back before the first event, and ahead", first: -8 * day, jumps: []time.Duration{8 * day}},
			trip{name: "50 years ahead, and back", jumps: []time.Duration{50 * 365 * day, -50 * 365 * day}},
			trip{name: "80 years back, before 1970, and ahead again", jumps: []time.Duration{-80 * 365 * day, 80 * 365 * day}},
			trip{name: "a day ahead and back at once, 100 times", flutter: 100, jumps: []time.Duration{day, -day}})
	}
	nap := &suspension{stops: trial.Pick([]time.Duration{5 * time.Second}, []time.Duration{30 * time.Second, 30 * time.Second})}
	sleepers, again := new(sleepers), new(restart)

	var cases sync.WaitGroup
	for i := range trips {
		cases.Go(func() { t.Run(trips[i].name, trips[i].try) })
	}
	cases.Go(func() { t.Run("suspended", nap.try) })
	cases.Go(func() { t.Run("sleepers", sleepers.try) })
	cases.Go(func() { t.Run("restart", again.try) })
	cases.Wait()

	for i := range trips {
		trips[i].describe(table)
	}
	nap.describe(table)
	sleepers.describe(table)
	again.describe(table)
}

// verdict judges what publishers and subscribers wrote down.
func verdict(t *testing.T, r *history.Record) *history.Findings {
	t.Helper()
	found := r.Judge()
	for _, d := range found.Details {
		t.Error(d)
	}
	if !found.Clean() {
		t.Errorf("found: %s", inShort(&found))
	}
	return &found
}

// inShort is a row's figures of what must not have happened.
func inShort(f *history.Findings) string {
	if f.Clean() {
		return fmt.Sprintf("nothing in %d deliveries", f.Deliveries)
	}
	return fmt.Sprintf("lost %d, double %d, moved %d, resets %d, other %d", f.Lost, f.Double+f.Doubled, f.Moved, f.Resets,
		f.Disorder+f.Split+f.ReusedOffset+f.Phantom+f.Stray+f.BrokenCondition)
}
