package degrade

import (
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/spoke"
	"github.com/navehub/nave/tests/trial"
)

// The switch is thrown and put back under load, with a restart in between. All are
// told within a second, poll with the cursors that they have, stream again, and miss
// nothing.
func TestSwitch(t *testing.T) {
	clients := trial.Pick(200, 1000)
	table := trial.NewTable(t, "switch", "the switch is thrown and put back, under load")
	hub := trial.CheckedHub(t)
	all := gather(t, hub, clients)
	load := publish(t, hub, 5*time.Millisecond, number)
	time.Sleep(time.Second)

	thrown := time.Now()
	pin(t, hub, nave.LevelPolling)
	all.await("all have been told", func(m *member) bool { return m.told.After(thrown) })
	var latest time.Duration
	for _, m := range all.members {
		m.note(func() { latest = max(latest, m.told.Sub(thrown)) })
	}
	all.await("all poll", func(m *member) bool { return m.state == spoke.Polling && m.polls > 0 })

	if err := hub.Terminate(); err != nil {
		t.Error(err)
	}
	trial.Begin(t, hub)
	if s, err := askLevel(t.Context(), hub, "GET", ""); err != nil || s.Level != nave.LevelPolling {
		t.Errorf("after a restart the level is %s, %v", s.Level, err)
	}
	time.Sleep(time.Second)
	put := time.Now()
	pin(t, hub, "")
	all.await("all stream again", func(m *member) bool { return m.state == spoke.Live })
	back := time.Since(put)
	time.Sleep(time.Second)
	want := load.end()
	table.Row("clients", "", "%d", clients)
	table.Row("events published", "", "%d", len(want))
	table.AtMost("until the last was told to poll", time.Second, latest)
	table.Row("until the last streamed again", "", "%v", back.Round(time.Millisecond))
	all.judge(table, want)
}
