package hub_test

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/supervision"
	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

var (
	seed     = flag.Uint64("seed", 0, "of all that is random; 0 draws one")
	stormFor = flag.Duration("storm", 0, "how long actors fail under load; 0 is 12s, and 5m with -long")
)

// TestFailures makes every kind of actor panic, again and again, in a whole hub
// that works: on a disk, behind a socket, with publishers and subscribers, in the
// middle of real messages. What supervision contains nobody notices, except whose
// connection it was; what it cannot contain ends the hub, which says so, refuses
// in words, and has lost nothing. Afterwards nothing is left of it.
func TestFailures(t *testing.T) {
	from := cmp.Or(*seed, rand.Uint64())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("to draw the same again: -seed %d", from)
		}
	})
	table := trial.NewTable(t, "failures", "panics in every kind of actor")
	t.Run("contained", func(t *testing.T) { contained(t, table, from) })
	t.Run("past their intensity", func(t *testing.T) { escalate(t, table) })
	t.Run("leave nothing", func(t *testing.T) { leaveNothing(t, table, from) })
}

func contained(t *testing.T, table *trial.Table, from uint64) {
	length := cmp.Or(*stormFor, trial.Pick(12*time.Second, 5*time.Minute))
	g := startTarget(t, t.TempDir())
	l := startLoad(g, from, 6, 12)
	reflected := g.subscriber(mirrorTopic)
	reflected.Resume(nave.Cursor{Epoch: g.Epoch()}.String()) // it may be later than the first event
	l.follow(reflected)
	s := newStorm(g, rand.New(rand.NewPCG(from, 1<<32)))
	begin := time.Now()
	s.rage(length)
	lasted := time.Since(begin)
	l.calm()
	unmirrored := awaitMirror(t, l, reflected)
	unbalanced := settled(t, g)
	ready := g.Ready()
	uncounted := s.counted(t)
	found := l.record.Judge()
	cut := l.cutBeyond(int(g.faults.written.done.Load()))
	l.end()
	escalated := len(g.Failed())
	if err := g.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}

	table.Row("load", "", "%d publishers, %d subscribers, %v", 6, len(l.following), lasted.Round(time.Second))
	s.describe(table)
	found.Describe(table)
	found.Count(table)
	for _, sentence := range found.Details {
		t.Error(sentence)
	}
	table.Count("events that an extension has not handled, or published twice", unmirrored)
	table.Count("streams cut but those of clients that failed", cut)
	table.Count("failures not counted in the metrics, or other than injected", uncounted)
	table.Count("escalations", escalated)
	table.Count("shares of the journal, mailbox bytes and clients still accounted for", unbalanced)
	readiness := "ready"
	if ready != nil {
		readiness = ready.Error()
		t.Errorf("Ready: %v", ready)
	}
	table.Row("readiness at the end", "ready", "%s", readiness)
}

// describe adds what was made to fail, and what became of it.
func (s *storm) describe(table *trial.Table) {
	injected, stats := s.injected(), s.Stats()
	for _, kind := range kinds(injected) {
		n := injected[kind]
		switch supervision.PolicyOf(kind).On {
		case supervision.Restart:
			table.Row("panics, restarts: "+string(kind), "the same", "%d, %d", n, stats[kind].Restarts)
		case supervision.Resume:
			table.Row("panics, restarts: "+string(kind), "0 restarts", "%d, %d", n, stats[kind].Restarts)
		default:
			table.Row("panics: "+string(kind), "", "%d", n)
		}
	}
	table.Row("times that the log broke", "", "%d", s.faults.broken.done.Load())
}

// awaitMirror waits until the extension has handled everything, and counts what it
// has not published once and in order.
func awaitMirror(t *testing.T, l *load, reflected *harness.Subscriber) (wrong int) {
	t.Helper()
	var want []string
	for _, e := range l.following[0].Seen() {
		if e.Topic == mirrored {
			want = append(want, fmt.Sprint(e.Offset))
		}
	}
	ctx := trial.Within(t, time.Minute) // it may be waiting for its restart
	if err := reflected.Wait(ctx, func(s *harness.Subscriber) bool { return s.Count() >= len(want) }); err != nil {
		t.Errorf("the extension has handled %d of %d events: %v", reflected.Count(), len(want), err)
	}
	var got []string
	for _, e := range reflected.Seen() {
		got = append(got, e.ID)
	}
	if slices.Equal(got, want) {
		return 0
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			wrong++
		}
	}
	return wrong
}

// settled waits until nothing is accounted for any more, and counts what is.
func settled(t *testing.T, g *target) int {
	t.Helper()
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = g.Unbalanced(); err == nil {
			return 0
		}
	}
	t.Error(err)
	return 1
}

// cutBeyond is how many more streams the hub has ended than so many.
func (l *load) cutBeyond(n int) int {
	for _, f := range l.following {
		n -= int(f.cut.Load())
	}
	return max(0, -n)
}
