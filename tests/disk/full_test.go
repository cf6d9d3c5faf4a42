package disk

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// A writer publishes to one topic all the time, and counts what it is told.
type writer struct {
	topic string

	mu      sync.Mutex
	acked   []string // ids
	refused map[string]int
	unclear int // answers that are neither a yes nor a refusal in order
}

func (w *writer) run(ctx context.Context, hub *harness.Process) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		id := fmt.Sprintf("%s-%d", w.topic, i)
		a, err := harness.Publish(context.WithoutCancel(ctx), hub.URL("/v1/events"), event(w.topic, id, noise(8<<10)))
		w.mu.Lock()
		switch {
		case err != nil:
			w.unclear++
		case a.Status == http.StatusOK:
			w.acked = append(w.acked, id)
		case a.Status == http.StatusServiceUnavailable && a.Code == "unavailable" && a.RetryAfter != "":
			w.refused[a.Detail]++
		default:
			w.unclear++
		}
		w.mu.Unlock()
	}
}

// so far: how many yes, and how many 503.
func (w *writer) counts() (acked, refused int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.refused {
		refused += n
	}
	return len(w.acked), refused
}

// A busy hub has a writer in each class, and a client that follows them.
type busy struct {
	t                          *testing.T
	hub                        *harness.Process
	client                     *harness.Subscriber
	durable, memory, transient *writer
	stop                       func()
}

func beBusy(t *testing.T, hub *harness.Process) *busy {
	t.Helper()
	b := &busy{t: t, hub: hub, client: trial.Follow(t, hub, "cards/1", "session/1", "ui/1")}
	ctx, cancel := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	for topic, w := range map[string]**writer{"cards/1": &b.durable, "session/1": &b.memory, "ui/1": &b.transient} {
		*w = &writer{topic: topic, refused: make(map[string]int)}
		writing.Go(func() { (*w).run(ctx, hub) })
	}
	b.stop = func() { cancel(); writing.Wait() }
	t.Cleanup(b.stop)
	b.goOn("at first", b.durable, b.memory, b.transient)
	return b
}

// goOn waits until each of the writers has been told yes ten times more.
func (b *busy) goOn(when string, writers ...*writer) {
	b.t.Helper()
	for _, w := range writers {
		before, _ := w.counts()
		trial.Eventually(b.t, func() (string, bool) {
			acked, _ := w.counts()
			return fmt.Sprintf("%s: %s accepted %d", when, w.topic, acked-before), acked-before >= 10
		})
	}
}

// refusedNow waits until each of the writers has been refused ten times more.
func (b *busy) refusedNow(when string, writers ...*writer) {
	b.t.Helper()
	for _, w := range writers {
		_, before := w.counts()
		trial.Eventually(b.t, func() (string, bool) {
			_, refused := w.counts()
			return fmt.Sprintf("%s: %s refused %d", when, w.topic, refused-before), refused-before >= 10
		})
	}
}

// readiness waits until /readyz answers with the status and the words.
func (b *busy) readiness(status int, words string) (took time.Duration) {
	b.t.Helper()
	start := time.Now()
	trial.Eventually(b.t, func() (string, bool) {
		got, text := trial.Get(b.t, b.hub, "/readyz")
		return text, got == status && strings.Contains(text, words)
	})
	return time.Since(start)
}

// end stops the writers and compares what they were told with what the client has.
func (b *busy) end(table *trial.Table) {
	b.t.Helper()
	b.stop()
	stored := len(b.durable.acked) + len(b.memory.acked)
	missing := func() (all []string) {
		seen := make(map[string]int)
		for _, e := range b.client.Seen() {
			seen[e.ID]++
		}
		for _, w := range []*writer{b.durable, b.memory} {
			for _, id := range w.acked {
				if seen[id] != 1 {
					all = append(all, id)
				}
			}
		}
		return all
	}
	_ = b.client.Wait(trial.Within(b.t, 10*time.Second), func(*harness.Subscriber) bool { return len(missing()) == 0 })
	table.Row("accepted: durable, memory, transient", "", "%d, %d, %d", len(b.durable.acked), len(b.memory.acked), len(b.transient.acked))
	for _, w := range []*writer{b.durable, b.memory, b.transient} {
		for why, n := range w.refused {
			b.t.Logf("%s: %d × %s", w.topic, n, why)
		}
	}
	_, durable := b.durable.counts()
	_, memory := b.memory.counts()
	_, transient := b.transient.counts()
	table.Row("refused with 503 and Retry-After: durable, memory, transient", "", "%d, %d, %d", durable, memory, transient)
	table.Count("publishes without a clear answer", b.durable.unclear+b.memory.unclear+b.transient.unclear)
	table.Row("stored events that were acknowledged", "", "%d", stored)
	table.Count("of those lost, or seen twice", len(missing()))
	table.Count("times that the client was cut off", len(b.client.Verdicts())-1)
}

// Others fill the disk. The hub keeps what it needs to go on: durable events are
// refused, and nothing else is touched.
func TestFullDisk(t *testing.T) {
	table := trial.NewTable(t, "full-disk", "a disk that others fill to the last byte, and empty")
	dir := smallDisk(t, 256)
	hub := hubOn(t, dir)
	b := beBusy(t, hub)
	pid := hub.PID()

	release := fill(t, dir)
	table.AtMost("until readiness is red", 5*time.Second, b.readiness(503, "has 0.0 MiB free"))
	b.refusedNow("full", b.durable)
	b.goOn("full", b.memory, b.transient)
	time.Sleep(trial.Pick(3*time.Second, time.Minute)) // retention comes by every 10 s
	b.goOn("full for long", b.memory, b.transient)
	// Past events and state can be read.
	old := trial.Resume(t, hub, epochStart(b.client), "cards/1")
	trial.Saw(t, old, 10)
	if status, text := trial.Get(t, hub, "/v1/state?topic=cards/*"); status != http.StatusOK {
		t.Errorf("state on a full disk: %d %s", status, text)
	}

	release()
	table.AtMost("from room again until readiness is green", 5*time.Second, b.readiness(200, ""))
	b.goOn("room again", b.durable, b.memory, b.transient)
	if hub.PID() != pid {
		t.Error("the hub was restarted")
	}
	b.end(table)
}

// epochStart is the cursor of the beginning of the log.
func epochStart(s *harness.Subscriber) string {
	epoch, _, _ := strings.Cut(s.Cursor(), "-")
	return epoch + "-0"
}

// Without a margin a write meets the full disk, and the log breaks. It is reopened
// when there is room; what was in memory is still there, and so is all that was
// acknowledged.
func TestFullDiskWithoutMargin(t *testing.T) {
	table := trial.NewTable(t, "no-margin", "the same with log.min_free: 0, so that a write meets the full disk")
	dir := smallDisk(t, 64)
	// By itself the level would take the transient events too, for longer than this lasts.
	hub := hubOn(t, dir, "NAVE_LOG_MIN_FREE=0", "NAVE_LEVELS_AUTOMATIC=off")
	b := beBusy(t, hub)

	release := fill(t, dir)
	b.readiness(503, "no space left")
	b.refusedNow("full", b.durable, b.memory)
	b.goOn("full", b.transient)
	release()
	table.AtMost("from room again until readiness is green", 10*time.Second, b.readiness(200, ""))
	b.goOn("room again", b.durable, b.memory, b.transient)
	// Memory events of before, too, can be replayed.
	old := trial.Resume(t, hub, epochStart(b.client), "session/1")
	if v := old.Verdicts(); !slices.Equal(v, []string{"recovered"}) {
		t.Errorf("a reader of memory events is told %v", v)
	}
	trial.Saw(t, old, 20)
	b.end(table)
}

// The log itself fills its disk, because retention allows more than there is.
func TestLogThatFillsItsDisk(t *testing.T) {
	table := trial.NewTable(t, "own-growth", "a log that may grow beyond its disk of 160 MB")
	dir := smallDisk(t, 160)
	hub := hubOn(t, dir, "NAVE_LOG_MIN_FREE=48MiB", "NAVE_LOG_RETENTION_DURABLE_BYTES=0")
	publish := func(i int) harness.Answer {
		a, err := harness.Publish(trial.Soon(t), hub.URL("/v1/events"), event("cards/1", fmt.Sprint(i), noise(200<<10)))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	var first, last harness.Answer
	n := 0
	for ; ; n++ {
		a := publish(n)
		if a.Status != http.StatusOK {
			if a.Status != http.StatusServiceUnavailable || !strings.Contains(a.Detail, "nearly full") {
				t.Fatalf("publish %d: %d %s", n, a.Status, a.Detail)
			}
			break
		}
		if last = a; n == 0 {
			first = a
		}
		if n > 10_000 {
			t.Fatal("the disk does not fill")
		}
	}
	table.Row("events of 200 KB until it refuses", "", "%d", n)
	all := trial.Resume(t, hub, first.Cursor, "cards/*")
	trial.Saw(t, all, n-1)
	if err := hub.Terminate(); err != nil {
		t.Errorf("the end of a hub on a full disk: %v", err)
	}
	hub.Env = append(hub.Env, "NAVE_LOG_RETENTION_DURABLE_BYTES=10MiB")
	trial.Begin(t, hub)
	start := time.Now()
	trial.Eventually(t, func() (harness.Answer, bool) { a := publish(n); return a, a.Status == http.StatusOK })
	table.AtMost("with less to keep, until it accepts again", 30*time.Second, time.Since(start))
	trial.Saw(t, trial.Resume(t, hub, last.Cursor, "cards/*"), 1)
}
