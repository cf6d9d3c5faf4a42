package overload

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

const (
	stormTopics = 20
	missed      = 100 // events by each client
)

// The hub is killed and started again, its clients miss a hundred events each and
// come back all at the same moment: everybody gets exactly what it missed.
func TestReconnectStorm(t *testing.T) {
	clients := many(2000, 15_000)
	table := trial.NewTable(t, "storm", fmt.Sprintf("%d clients come back at once, %d missed events each", clients, missed))
	for _, from := range []string{"memory", "log"} {
		t.Run("from the "+from, func(t *testing.T) { storm(t, table, clients, from) })
	}
}

func storm(t *testing.T, table *trial.Table, clients int, from string) {
	hub := hubWith(t, 20_000)
	crowd := gather(t, hub, clients, func(member int) []string {
		return []string{stormTopic(member%stormTopics) + "/*"}
	}, func(c *harness.Crowd) { c.Again = time.Second })
	connected := trial.Usage(t, hub)
	if err := hub.Kill(); err != nil {
		t.Fatal(err)
	}
	crowd.Leave()
	before := failures(crowd)
	trial.Begin(t, hub)
	offsets := publishMissed(t, hub)
	if from == "log" {
		pushOut(t, hub)
	}
	idle := trial.Usage(t, hub)
	memory := watch(t, hub)

	start := time.Now()
	crowd.Come(t.Context())
	awaitEach(t, crowd, func(member int, s harness.Standing) bool { return s.Events >= missed })
	took := time.Since(start)
	memory.end()
	used := trial.Usage(t, hub)
	table.Row("from the "+from+": all have caught up after", "", "%v, %.0f events a second", round(took), float64(clients*missed)/took.Seconds())
	table.Row("from the "+from+": processor", "", "%v", used.CPU-idle.CPU)
	table.Row("from the "+from+": RSS when all were connected before", "", "%d MB", mb(connected.RSS))
	within(t, table, "from the "+from+": most RSS", memory.peak(), idle.RSS+stormBudget(clients))
	table.Row("from the "+from+": connections that failed or were refused, and were tried again", "", "%d", failures(crowd)-before)
	liveAgain(t, hub, crowd, offsets)
	judgeStorm(t, table, from, crowd, offsets)
}

// stormBudget is a page of the log for each of those that are served at the same
// time, and what a client costs.
func stormBudget(clients int) int64 {
	const client, shared = 16 << 10, 64 << 20
	return (int64(clients)*client + shared) * 3 / 2
}

func stormTopic(i int) string { return "storm/" + strconv.Itoa(i) }

// publishMissed publishes what everybody misses, and returns the offsets by topic.
func publishMissed(t *testing.T, hub *harness.Process) (offsets [stormTopics][]uint64) {
	t.Helper()
	for i := range missed {
		var events []harness.Event
		for k := range stormTopics {
			events = append(events, harness.Event{
				Topic: stormTopic(k) + "/" + strconv.Itoa(i%7), Type: "missed", Data: strings.Repeat("x", 200),
			})
		}
		for k, e := range trial.Publish(t, hub, events...).Events {
			offsets[k] = append(offsets[k], e.Offset)
		}
	}
	return offsets
}

// pushOut publishes so much else that the hub has to read the rest from its log.
func pushOut(t *testing.T, hub *harness.Process) {
	t.Helper()
	for range 20 {
		trial.Publish(t, hub, harness.Event{Topic: "other/1", Type: "other", Data: padding[:250_000]})
	}
}

// liveAgain publishes one event more for everybody.
func liveAgain(t *testing.T, hub *harness.Process, crowd *harness.Crowd, offsets [stormTopics][]uint64) {
	t.Helper()
	for k := range stormTopics {
		a := trial.Publish(t, hub, harness.Event{Topic: stormTopic(k) + "/0", Type: "after"})
		offsets[k] = append(offsets[k], a.Events[0].Offset)
	}
	awaitEach(t, crowd, func(_ int, s harness.Standing) bool { return s.Events > missed })
	wanting := 0
	for i, s := range crowd.Standings() {
		if s.Tally != harness.TallyOf(offsets[i%stormTopics]) {
			wanting++
		}
	}
	if wanting > 0 {
		t.Errorf("%d clients did not get exactly what they follow once they were live again", wanting)
	}
}

func judgeStorm(t *testing.T, table *trial.Table, from string, crowd *harness.Crowd, offsets [stormTopics][]uint64) {
	t.Helper()
	lost, double, resets := 0, 0, 0
	for i, s := range crowd.Standings() {
		want := len(offsets[i%stormTopics]) + 1
		lost += max(0, want-(s.Events-s.Disorder))
		double += s.Disorder
		resets += s.Resets + s.Unclear
	}
	table.Count("from the "+from+": events lost", lost)
	table.Count("from the "+from+": events double or out of order", double)
	table.Count("from the "+from+": resets, and answers that are neither a stream nor a clear no", resets)
}

func failures(crowd *harness.Crowd) (n int) {
	for _, s := range crowd.Standings() {
		n += s.Refused + s.Dropped
	}
	return n
}
