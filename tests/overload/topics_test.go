package overload

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// As many topics and filters as there may be, each topic published to once: each
// subscriber gets what it follows, one topic more is refused, and the topics leave
// when nobody publishes to them.
func TestTopicFlood(t *testing.T) {
	topics := many(20_000, 100_000)
	const each = 100 // filters of a subscriber
	topics -= topics % each
	hub := hubWith(t, 20_000, fmt.Sprintf("NAVE_LIMITS_TOPICS=%d", topics))
	table := trial.NewTable(t, "topics", fmt.Sprintf("%d topics at once, %d subscribers to %d of them each", topics, topics/each, each))
	idle := trial.Usage(t, hub)
	crowd := gather(t, hub, topics/each, func(member int) (filters []string) {
		for k := range each {
			filters = append(filters, manyTopic(member*each+k))
		}
		return filters
	}, nil)
	filtered := trial.Usage(t, hub)

	offsets, took := publishOnce(t, hub, topics)
	wanting := 0
	awaitEach(t, crowd, func(_ int, s harness.Standing) bool { return s.Events >= each })
	for i, s := range crowd.Standings() {
		if s.Tally != harness.TallyOf(slices.Sorted(slices.Values(offsets[i*each:(i+1)*each]))) {
			wanting++
		}
	}
	full := trial.Usage(t, hub)
	table.Row("published to all topics, each for the first time", "", "%v, %.0f topics a second", round(took), float64(topics)/took.Seconds())
	table.Count("subscribers that did not get exactly what they follow, in order", wanting)
	table.Row("RSS before, with the filters, with the topics", "", "%d, %d, %d MB", mb(idle.RSS), mb(filtered.RSS), mb(full.RSS))
	table.Row("a filter, a topic", "", "%d, %d bytes of RSS", (filtered.RSS-idle.RSS)/int64(topics), (full.RSS-filtered.RSS)/int64(topics))
	const filter, topic = 2 << 10, 4 << 10
	within(t, table, "most RSS", full.PeakRSS, idle.RSS+32<<20+int64(topics)*(filter+topic)*3/2)
	oneMore(t, hub, table)
	leave(t, hub, table, full)
}

func manyTopic(i int) string { return fmt.Sprintf("many/%d/topic", i) }

// publishOnce publishes an event to every topic, and returns their offsets by topic.
func publishOnce(t *testing.T, hub *harness.Process, topics int) (offsets []uint64, took time.Duration) {
	t.Helper()
	const publishers, batch = 8, 20
	start := time.Now()
	offsets = make([]uint64, topics)
	var next atomic.Int64
	var all sync.WaitGroup
	for range publishers {
		all.Go(func() {
			for !t.Failed() {
				from := int(next.Add(batch)) - batch
				if from >= topics {
					return
				}
				var events []harness.Event
				for i := from; i < min(from+batch, topics); i++ {
					events = append(events, harness.Event{Topic: manyTopic(i), Type: "first", Data: i})
				}
				a, err := harness.Publish(t.Context(), hub.URL("/v1/events"), events...)
				if err != nil || a.Status != 200 {
					t.Errorf("publish: %d %s %v", a.Status, a.Detail, err)
					return
				}
				for k := range events {
					offsets[from+k] = a.Events[k].Offset
				}
			}
		})
	}
	all.Wait()
	return offsets, time.Since(start)
}

// oneMore is refused, and does not keep topics that live from being published to.
func oneMore(t *testing.T, hub *harness.Process, table *trial.Table) {
	t.Helper()
	a, err := harness.Publish(trial.Soon(t), hub.URL("/v1/events"), harness.Event{Topic: "one/more", Type: "first"})
	table.Row("one topic more", "429 busy", "%d %s", a.Status, a.Code)
	if err != nil || a.Status != 429 || a.Code != "busy" {
		t.Errorf("one topic more: %d %s %v", a.Status, a.Detail, err)
	}
	a, err = harness.Publish(trial.Soon(t), hub.URL("/v1/events"), harness.Event{Topic: manyTopic(7), Type: "again"})
	table.Row("one of the others then", "200", "%d", a.Status)
	if err != nil || a.Status != 200 {
		t.Errorf("a topic that lives: %d %s %v", a.Status, a.Detail, err)
	}
}

// leave waits in the long form until the topics have left.
func leave(t *testing.T, hub *harness.Process, table *trial.Table, full harness.Usage) {
	t.Helper()
	if !trial.Long() {
		return
	}
	start := time.Now()
	trial.EventuallyWithin(t, 8*time.Minute, func() (float64, bool) {
		time.Sleep(time.Second)
		active, err := metric(t.Context(), hub, "nave_topic_active")
		if err != nil {
			t.Fatal(err)
		}
		if s := int(time.Since(start).Seconds()); s%10 == 0 {
			t.Logf("%v topics after %d s", active, s)
		}
		return active, active == 0
	})
	table.Row("all have left after", "about 5m", "%v", time.Since(start).Round(time.Second))
	a, err := harness.Publish(trial.Soon(t), hub.URL("/v1/events"), harness.Event{Topic: "one/more", Type: "first"})
	if err != nil || a.Status != 200 {
		t.Errorf("a new topic after all have left: %d %s %v", a.Status, a.Detail, err)
	}
	memoryReturns(t, table, hub, full.RSS*2/3)
}

// awaitEach waits until every member is as asked.
func awaitEach(t *testing.T, c *harness.Crowd, is func(member int, s harness.Standing) bool) {
	t.Helper()
	trial.EventuallyWithin(t, 5*time.Minute, func() (string, bool) {
		n := 0
		for i, s := range c.Standings() {
			if is(i, s) {
				n++
			}
		}
		return fmt.Sprintf("%d of %d", n, c.Size), n == c.Size
	})
}
