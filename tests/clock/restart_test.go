package clock

import (
	"fmt"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/pebblelog"
	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/history"
	"github.com/navehub/nave/tests/trial"
)

// A restart is one of a hub whose machine had believed it to be thirty years later.
// Now its clock is right, and to it all that is in the log is in the future.
type restart struct {
	repeats   int
	forgotten int
	trimmed   time.Duration // until retention had taken everything
	found     *history.Findings
}

func (r *restart) try(t *testing.T) {
	hub := trial.NewHub(t, trial.CheckedProgram(t), "NAVE_LOG_RETENTION_DURABLE_AGE=5s")
	record := history.New()
	events := make([]harness.Event, 10)
	for i := range events {
		events[i] = harness.Event{Topic: topicOf(i), Type: "tick", ID: fmt.Sprint("future-", i), Source: "clock"}
	}
	epoch := writeLog(t, hub.Data, record, events, time.Now().AddDate(30, 0, 0))
	trial.Begin(t, hub)
	start := time.Now()

	f := &follower{filters: []string{"clock/*"}, http: streams, owed: true, cursor: nave.Cursor{Epoch: epoch}.String()}
	f.notes = noted(t, record, "one that comes back", f.filters)
	f.begin(t, hub)
	for _, e := range events {
		r.repeats++
		if a := trial.Publish(t, hub, e); !a.Repeat {
			r.forgotten++
		}
	}
	e := harness.Event{Topic: topicOf(0), Type: "tick", ID: "now", Source: "clock"}
	p := record.Begin(harness.Sent(e)...)
	a := trial.Publish(t, hub, e)
	p.Acked(a.Offsets())
	f.reach(t, a.Events[0].Offset)
	r.trimmed = until(t, hub, start, `nave_log_size_bytes{nave_durability="durable"} 0`)
	r.found = verdict(t, record)
	if r.forgotten > 0 {
		t.Errorf("%d of %d ids are forgotten", r.forgotten, r.repeats)
	}
}

// writeLog makes a log with events that were stored at a time.
func writeLog(t *testing.T, dir string, r *history.Record, events []harness.Event, at time.Time) nave.Epoch {
	t.Helper()
	log, err := pebblelog.Open(t.Context(), dir, pebblelog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		p := r.Begin(harness.Sent(e)...)
		stored := nave.Event{Topic: nave.Topic(e.Topic), Type: e.Type, ID: e.ID, Source: e.Source, Time: at}
		outcomes, err := log.Append(t.Context(), []eventlog.Batch{{Events: []nave.Event{stored}, Durability: nave.Durable, Time: at}})
		if err != nil {
			t.Fatal(err)
		}
		p.Acked([]uint64{outcomes[0].First})
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return log.Epoch()
}

func (r *restart) describe(table *trial.Table) {
	if r.found == nil {
		return
	}
	table.Row("started on a log from 30 years ahead, retention of 5 s", "", "")
	table.Row("– lost, double, moved, resets, in deliveries", "nothing", "%s", inShort(r.found))
	table.Row("– ids forgotten", "0", "%d of %d", r.forgotten, r.repeats)
	table.Row("– retention had taken everything after", "< 30 s", "%v", r.trimmed.Round(100*time.Millisecond))
}
