// Package soak tries what is left of a load that goes on for long and never stays
// the same: publishers of every kind, subscribers that come, resume and go, slow
// ones, requests that break off, topics that come and go, and retention at work
// all the time.
//
// The load rests twice, after a warm-up and at the end. What the hub holds at both
// times must be the same, but for what its table says: sockets, goroutines, heap,
// and the disk within what retention lets it have. In between it is sampled, and a
// line is laid through what it holds. And as the hub has no reason to lose
// anything meanwhile, the readers that stay have all that was acknowledged.
package soak

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/navehub/nave/tests/trial"
)

var (
	length = flag.Duration("for", 0, "how long the load goes on; 0 is 28s, and 3m with -long")
	seed   = flag.Uint64("seed", 0, "of all that is random; 0 draws one")
)

func TestMain(m *testing.M) { trial.Main(m) }

// What retention lets the hub have. The short form has less, so that it is at work
// there too.
var (
	durableMiB = func() int { return trial.Pick(2, 16) }
	window     = func() time.Duration { return trial.Pick(5*time.Second, 30*time.Second) }
)

func settings() []string {
	return []string{
		fmt.Sprintf("NAVE_LOG_RETENTION_DURABLE_BYTES=%dMiB", durableMiB()),
		"NAVE_LOG_RETENTION_MEMORY_BYTES=" + trial.Pick("128KiB", "1MiB"),
		"NAVE_LOG_IDEMPOTENCY_WINDOW=" + window().String(),
		"NAVE_TOPICS=[{filter: session/**, durability: memory}, {filter: ui/**, durability: transient}, {filter: limited/**, rate: 5}]",
		"NAVE_LIMITS_EVENT=16KiB",
		"NAVE_CLIENT_HEARTBEAT=2s",
		"NAVE_CLIENT_WRITE_TIMEOUT=2s",
		"NAVE_CLIENT_MAX_LAG=5s",
		"NAVE_CLIENT_MAILBOX=32KiB",
	}
}

// What may be more at the end than after the warm-up, for chance.
const (
	moreGoroutines = 3
	moreFiles      = 40 // of Pebble, whose tables come and go
	moreHeap       = 4 << 20
	moreRSS        = 48 << 20
)

// heapLimit is what the heap may be at the end. A topic that has an actor takes
// less than 3 KB.
func heapLimit(before, after sample) int64 {
	return before.heap + moreHeap + 3<<10*int64(max(0, after.topics-before.topics))
}

// TestSoak lets the load go on for -for, with a rest in between, and compares what
// the hub holds at the rests.
func TestSoak(t *testing.T) {
	from := cmp.Or(*seed, rand.Uint64())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("to draw the same again: -seed %d", from)
		}
	})
	total := cmp.Or(*length, trial.Pick(28*time.Second, 3*time.Minute))
	warm := trial.Pick(total/2, total/4)
	table := trial.NewTable(t, "soak", fmt.Sprintf("mixed load for %v", total))
	s := begin(t, trial.Hub(t, settings()...), from)
	empty := s.rest("before any load")
	s.load(warm)
	before := s.rest("after the warm-up")
	s.load(total - warm)
	after := s.rest("at the end")
	if total > 10*time.Minute {
		after = s.restUntilTopicsLeave()
	}
	s.report(table)
	s.compare(table, empty, before, after)
	s.slopes(table, total > time.Minute, heapLimit(before, after)-before.heap)
	s.end(table)
}

// end asks the hub to end: it would wait for clients that it believes are there.
func (s *soak) end(table *trial.Table) {
	const most = 5 * time.Second
	begin := time.Now()
	err := s.hub.Terminate()
	took := time.Since(begin)
	table.Row("the hub ends when asked, in good order", fmt.Sprintf("within %v", most), "%v", took.Round(time.Millisecond))
	if err != nil || took > most {
		s.t.Errorf("the hub ends with %v after %v", err, took)
	}
}

// report says what was done, and that nothing went wrong with it.
func (s *soak) report(table *trial.Table) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range rows {
		table.Row(row.what, "", "%d", s.counts[row.what])
		if s.counts[row.what] == 0 {
			s.t.Errorf("%s: none, so the load is not mixed", row.what)
		}
	}
	table.Count("answers that should have been others", s.wrong)
	table.Count("events out of order, seen twice, or of other topics", s.disorder)
	table.Count("readers that stay without all that was acknowledged", s.incomplete)
	table.Count("resets of readers that stay", s.resets)
}

// compare says what the hub holds at rest, and what it must hold.
func (s *soak) compare(table *trial.Table, empty, before, after sample) {
	at := func(what, must string, of func(sample) string) {
		table.Row(what+": empty, after the warm-up, at the end", must, "%s, %s, %s", of(empty), of(before), of(after))
	}
	at("sockets", "1, to listen", func(s sample) string { return fmt.Sprint(s.sockets) })
	at("connections by the gauge", "0", func(s sample) string { return fmt.Sprint(s.connections) })
	at("other descriptors", fmt.Sprintf("as after the warm-up, +%d", moreFiles), func(s sample) string { return fmt.Sprint(s.files) })
	at("goroutines", fmt.Sprintf("as after the warm-up, +%d", moreGoroutines), func(s sample) string { return fmt.Sprint(s.goroutines) })
	heap := heapLimit(before, after)
	at("heap after collection", mb(heap)+" or less", func(s sample) string { return mb(s.heap) })
	at("RSS", "as after the warm-up, +48 MB", func(s sample) string { return mb(s.rss) })
	at("topics with an actor", "", func(s sample) string { return fmt.Sprint(s.topics) })
	limit := s.diskLimit()
	at("disk", mb(limit)+" or less", func(s sample) string { return mb(s.disk) })
	table.Row("", "", "topics keep their actor for 5 minutes")
	table.Row("", "", "heap: 4 MB more, and 3 KB for each more topic")
	table.Row("", "", "disk: retention of %d MiB, twice, 24 MiB, and 100 B for each of %d ids", durableMiB(), s.ids.Load())

	s.must("sockets", int64(after.sockets), 1)
	s.must("connections", int64(after.connections), 0)
	s.must("other descriptors", int64(after.files), int64(before.files+moreFiles))
	s.must("goroutines", int64(after.goroutines), int64(before.goroutines+moreGoroutines))
	s.must("heap", after.heap, heap)
	s.must("RSS", after.rss, before.rss+moreRSS)
	s.must("disk", after.disk, limit)
}

func (s *soak) must(what string, is, most int64) {
	s.t.Helper()
	if is > most {
		s.t.Errorf("%s: %d at the end, want %d at most", what, is, most)
	}
}

// diskLimit is what retention lets the hub have. Pebble may hold as much again
// that is superseded, and the log that it writes ahead; expired ids are swept once
// an hour, and take about 100 bytes each.
func (s *soak) diskLimit() int64 {
	return 2*int64(durableMiB())<<20 + 24<<20 + 100*s.ids.Load()
}

func mb(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20)) }
