package overload

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// Publishers that post far more than can be committed, over few and many topics,
// and that do not listen: what does not fit is refused in words, what was accepted
// arrives, memory is flat, and a second later it is as if nothing had been.
func TestPublishersPastCapacity(t *testing.T) {
	publishers, load := many(1500, 2000), lasting(2*time.Second, time.Minute)
	table := trial.NewTable(t, "overload", fmt.Sprintf("%d publishers as fast as they can, %v each time", publishers, load))
	for _, topics := range trial.Pick([]int{1, 10_000}, []int{1, 100, 10_000}) {
		name := fmt.Sprintf("%d topics", topics)
		t.Run(name, func(t *testing.T) {
			pastCapacity(t, table, name, &flood{name: "all", publishers: publishers, topics: topics, seed: chooseSeed(t)}, load)
		})
	}
	t.Run("bodies", func(t *testing.T) { bodiesInFlight(t, table) })
}

const watchers = 3

func pastCapacity(t *testing.T, table *trial.Table, name string, f *flood, load time.Duration) {
	f.hub = hubWith(t, 20_000)
	heard := newHearing()
	crowd := gather(t, f.hub, watchers, following("flood/**", pulse), func(c *harness.Crowd) {
		c.Buffer, c.Saw = 64<<10, heard.hear
	})
	p := newPulse(t, f.hub, crowd)
	few := &flood{hub: f.hub, publishers: 20, topics: f.topics, seed: f.seed, name: "few"}
	few.pour(t.Context(), max(load/4, time.Second))
	idle := trial.Usage(t, f.hub)
	memory := watch(t, f.hub)
	f.pour(t.Context(), load)
	memory.end()
	back := p.recovers(t)

	table.Row(name+": publishes", "", "%d, %d MB: %d events accepted, %d publishes refused: %v", f.sent, mb(f.bytes), f.yes(), f.no(), f.refused)
	table.Row(name+": events accepted a second, from 20 publishers, from all", "", "%.0f, %.0f", few.rate(), f.rate())
	table.Count(name+": answers that are neither a yes nor a 429 or 503 with Retry-After", report(t, slices.Concat(few.other, f.other)))
	table.Count(name+": accepted and not received, or not as it was accepted", heard.lacks(t, few.acked)+heard.lacks(t, f.acked))
	table.Count(name+": out of order or double", disorder(crowd))
	table.Row(name+": from the end of the load to the last answer", "", "%v", max(0, f.lasted-load).Round(time.Millisecond))
	bounded(t, table, name+": to a yes, p50, p99, most", &f.took)
	bounded(t, table, name+": accepted to received, p50, p99, most", &heard.took)
	levelled(t, table, name, memory, idle.RSS+budget(f.publishers, f.topics))
	recovered(t, table, name, back)
	if f.no() == 0 {
		t.Error("nobody was refused: this was not more than the hub can take")
	}
}

// bounded checks that nothing took much longer than what may wait for a topic needs
// to be committed.
func bounded(t *testing.T, table *trial.Table, what string, took *durations) {
	t.Helper()
	const most = 10 * time.Second
	table.Row(what, fmt.Sprintf("at most %v", most), "%v, %v, %v", took.at(50), took.at(99), took.at(100))
	if longest := took.at(100); longest > most {
		t.Errorf("%s: %v", what, longest)
	}
}

// hearing is what one watcher heard.
type hearing struct {
	mu   sync.Mutex
	ids  map[uint64]string // by offset
	took durations         // from accepted to received
}

func newHearing() *hearing { return &hearing{ids: make(map[uint64]string)} }

func (h *hearing) hear(e harness.Heard) {
	if e.Member != 0 {
		return
	}
	if accepted, err := time.Parse(time.RFC3339Nano, e.Text("time")); err == nil {
		h.took.add(e.At.Sub(accepted))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ids[e.Offset] = e.Text("id")
}

// lacks counts what was accepted and not heard, or heard as something else.
func (h *hearing) lacks(t *testing.T, acked map[uint64]string) (n int) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for offset, id := range acked {
		if got := h.ids[offset]; got != id {
			if n++; n <= 10 {
				t.Errorf("%s was accepted at %d, where the watcher has %q", id, offset, got)
			}
		}
	}
	return n
}

func disorder(c *harness.Crowd) (n int) {
	for _, s := range c.Standings() {
		n += s.Disorder
	}
	return n
}

// budget is what so many publishers, topics and the watchers may cost beyond what the
// hub needs when idle: the sum of what is bounded, and the garbage that the
// collector leaves, which is half as much.
func budget(publishers, topics int) int64 {
	const (
		bodies     = 32 << 20 // that are larger than 8 KiB, from their arrival to their answer
		journal    = 16 << 20 // that waits for its commit
		group      = 4 << 20  // that is committed
		recent     = 2 << 20  // kept for who is a little behind
		client     = 1 << 20  // mailbox, a page of the log, and what is written
		connection = 56 << 10 // goroutines and their stacks, buffers, a small body and its event
		topic      = 3 << 10  // actor, row of the registry
		log        = 24 << 20 // the cache, with memtables, and what a compaction holds
	)
	return (bodies + journal + group + recent + watchers*client + log + int64(publishers)*connection + int64(topics)*topic) * 3 / 2
}
