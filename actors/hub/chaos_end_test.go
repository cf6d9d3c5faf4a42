package hub_test

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/supervision"
	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// An ending is a kind of actor that fails until supervision gives up.
type ending struct {
	kind supervision.Kind
	// publishes: without it, events are still accepted. byes: streams are still
	// told when to come back.
	publishes, byes bool
	strike          func(g *target) // made again and again
	slow            bool            // it takes minutes
}

var endings = []ending{
	{kind: supervision.Journal, byes: true, strike: func(g *target) { g.faults.beforeStore.armed.Store(1) }},
	{kind: supervision.Dispatcher, publishes: true, byes: true, strike: func(g *target) { g.FailDispatcher(0) }},
	{kind: supervision.Retention, publishes: true, byes: true, slow: true, strike: func(g *target) { g.faults.trimming.armed.Store(1) }},
	{kind: supervision.Topics, byes: true, strike: func(g *target) { g.FailTopics(g.t.Context()) }},
	{kind: supervision.Clients, publishes: true, strike: func(g *target) { g.FailClients(g.t.Context()) }},
	{kind: supervision.Breakers, publishes: true, byes: true, strike: func(g *target) { g.FailBreakers() }},
	{kind: supervision.Governor, publishes: true, byes: true, strike: func(g *target) { g.FailGovernor() }},
	{kind: supervision.Extensions, publishes: true, byes: true, strike: func(g *target) { g.extensions.Fail() }},
	{kind: supervision.Hub, strike: func(g *target) { g.root.Fail() }},
}

func escalate(t *testing.T, table *trial.Table) {
	found := make([]string, len(endings))
	t.Run("each", func(t *testing.T) {
		for i, e := range endings {
			t.Run(string(e.kind), func(t *testing.T) {
				if e.slow && !trial.Long() {
					t.Skip("it takes minutes: TestFailureStaysWhereItHappens does it with a clock of its own")
				}
				t.Parallel()
				found[i] = e.try(t)
			})
		}
		t.Run("topic", func(t *testing.T) {
			t.Parallel()
			endsAlone(t, supervision.Topic, func(g *target) { g.FailTopic(t.Context(), "cards/0") })
		})
		t.Run("breaker", func(t *testing.T) {
			t.Parallel()
			endsAlone(t, supervision.Breaker, (*target).turn)
		})
		t.Run("extension", func(t *testing.T) {
			if !trial.Long() {
				t.Skip("it takes minutes, as retention does")
			}
			t.Parallel()
			endsAlone(t, supervision.Extension, func(g *target) { g.faults.handling.armed.Store(1) })
		})
	})
	for i, e := range endings {
		if found[i] != "" {
			table.Row("past its intensity: "+string(e.kind), "says so, refuses, stops, loses 0", "%s", found[i])
		}
	}
	table.Row("past its intensity: "+trial.Pick("topic, breaker", "topic, breaker, extension"), "nobody else feels it", "nobody did")
}

// try makes the actor fail until the hub gives up, ends the hub as its program
// would, and looks what it has stored.
func (e ending) try(t *testing.T) string {
	dir := t.TempDir()
	g := startTarget(t, dir)
	l := startLoad(g, 1, 3, 4)
	trial.Eventually(t, func() (int64, bool) { n := l.published.Load(); return n, n >= 20 })
	reason := e.untilFailed(t, g)
	status, text, err := harness.Get(trial.Soon(t), g.url("/readyz"))
	if err != nil || status != http.StatusServiceUnavailable || !strings.Contains(text, "supervision: "+reason.Error()) {
		t.Errorf("readiness: %d %s %v, want the reason %v", status, text, err, reason)
	}
	e.checkAnswers(t, g)
	begin := time.Now()
	if err := g.stop(); err != nil { // with publishers and subscribers that go on trying
		t.Errorf("stop: %v", err)
	}
	took := time.Since(begin)
	if took > 10*time.Second {
		t.Errorf("the hub took %v to stop", took)
	}
	e.checkByes(t, l)
	l.end()
	lost := 0
	have := stored(t, dir)
	for id, offset := range l.acked {
		if have[id] != offset {
			lost++
			t.Errorf("%s was acknowledged at %d and is at %d", id, offset, have[id])
		}
	}
	return fmt.Sprintf("%s; stopped in %v; lost %d of %d",
		directives(g, e.kind), took.Round(time.Millisecond), lost, len(l.acked))
}

func (e ending) untilFailed(t *testing.T, g *target) error {
	t.Helper()
	limit := time.After(20 * time.Minute)
	for {
		e.strike(g)
		select {
		case err := <-g.Failed():
			return err
		case <-limit:
			t.Fatalf("the hub does not give up: %v", g.failures())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// checkAnswers checks that every publisher is answered, and soon.
func (e ending) checkAnswers(t *testing.T, g *target) {
	t.Helper()
	want, code := http.StatusServiceUnavailable, string(nave.CodeUnavailable)
	if e.publishes {
		want, code = http.StatusOK, ""
	}
	for _, topic := range []string{durableTopics[0], "cards/new"} {
		// The hub has given up, and what goes with it ends a moment later.
		trial.Eventually(t, func() (string, bool) {
			begin := time.Now()
			a, err := harness.Publish(trial.Within(t, 10*time.Second), g.url("/v1/events"),
				harness.Event{Topic: topic, Type: "tick", ID: "after " + topic})
			return fmt.Sprintf("a publish to %s is answered with %d %s %v after %v, want %d %s",
				topic, a.Status, a.Code, err, time.Since(begin), want, code), err == nil && a.Status == want && a.Code == code
		})
	}
}

// checkByes checks that every stream has been told when to come back, if there
// is still somebody to tell it.
func (e ending) checkByes(t *testing.T, l *load) {
	t.Helper()
	for i, f := range l.following {
		if !e.byes || f.restless {
			continue
		}
		told := func(s *harness.Subscriber) bool { _, byes := s.Connects(); return byes > 0 }
		if err := f.Wait(trial.Within(t, 5*time.Second), told); err != nil {
			t.Errorf("subscriber %d has not been told when to come back: %v", i, err)
		}
	}
}

// directives are those by which the failures of a kind were answered.
func directives(g *target, kind supervision.Kind) string {
	found := g.failures()[kind]
	return fmt.Sprintf("%d panics, %d escalated", found["restart"]+found["resume"]+found["escalate"], found["escalate"])
}

// endsAlone makes an actor fail until it is stopped for good, and shows that this
// costs nobody anything: the hub goes on, and a topic is started afresh.
func endsAlone(t *testing.T, kind supervision.Kind, strike func(*target)) {
	g := startTarget(t, t.TempDir())
	l := startLoad(g, 1, 3, 4)
	trial.EventuallyWithin(t, 10*time.Minute, func() (int64, bool) {
		strike(g)
		n := g.failures()[kind]["stop"]
		return n, n > 0
	})
	l.calm()
	found := l.record.Judge()
	if !found.Clean() {
		t.Errorf("%+v", found)
	}
	if err := g.Ready(); err != nil || len(g.Failed()) > 0 {
		t.Errorf("Ready: %v; gave up: %v", err, len(g.Failed()) > 0)
	}
	if n := g.Stats()[supervision.Extension].Active; kind == supervision.Extension && n > 0 {
		t.Errorf("%d extensions are still on", n)
	}
	l.end()
	if err := g.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// What a process holds.
type holding struct {
	goroutines, descriptors int
	heap                    int64
}

func held(t *testing.T) holding {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return holding{runtime.NumGoroutine(), len(files), int64(m.HeapAlloc)}
}

// mostHeap is what a number of hubs may leave, for chance.
const mostHeap = 1 << 20

// leaveNothing starts hubs, makes them fail, and stops them, and looks what that
// leaves behind: of each cycle, so that a single goroutine shows.
func leaveNothing(t *testing.T, table *trial.Table, from uint64) {
	const few = 5
	cycles := trial.Pick(20, 200)
	dir := t.TempDir()
	var all []holding
	for i := range few + cycles {
		cycle(t, fmt.Sprintf("%s/%d", dir, i), from+uint64(i))
		all = append(all, atRest(t, all))
	}
	before, after := least(all[:few]), least(all[cycles:])
	table.Row("hubs started, made to fail, and stopped", "", "%d", cycles)
	table.Row("goroutines before, after", "no more", "%d, %d", before.goroutines, after.goroutines)
	table.Row("descriptors before, after", "no more", "%d, %d", before.descriptors, after.descriptors)
	table.Row("heap before, after", "1 MB more or less", "%.1f, %.1f MB", mb(before.heap), mb(after.heap))
	if after.goroutines > before.goroutines {
		t.Errorf("%d goroutines more than before", after.goroutines-before.goroutines)
		_ = pprof.Lookup("goroutine").WriteTo(t.Output(), 1)
	}
	if after.descriptors > before.descriptors {
		t.Errorf("%d descriptors more than before", after.descriptors-before.descriptors)
	}
	if grown := after.heap - before.heap; grown > mostHeap {
		t.Errorf("the heap has grown by %.1f MB", mb(grown))
	}
}

// atRest is what the process holds when what is about to end has ended: at best
// no more than ever before.
func atRest(t *testing.T, before []holding) (now holding) {
	t.Helper()
	for deadline := time.Now().Add(time.Second); ; time.Sleep(5 * time.Millisecond) {
		now = held(t)
		if len(before) == 0 || time.Now().After(deadline) {
			return now
		}
		last := least(before)
		if now.goroutines <= last.goroutines && now.descriptors <= last.descriptors && now.heap < last.heap+mostHeap {
			return now
		}
	}
}

// least is the least of each: Go keeps a timer that was stopped, and with it a
// whole hub that has ended, until the timers before it are over.
func least(all []holding) holding {
	low := all[0]
	for _, h := range all {
		low = holding{min(low.goroutines, h.goroutines), min(low.descriptors, h.descriptors), min(low.heap, h.heap)}
	}
	return low
}

func mb(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// cycle is one hub's life: every kind fails once in it, but for retention.
func cycle(t *testing.T, dir string, from uint64) {
	t.Helper()
	g := startTarget(t, dir)
	l := startLoad(g, from, 3, 4)
	published := func(n int64) {
		trial.Eventually(t, func() (int64, bool) { got := l.published.Load(); return got, got >= n })
	}
	published(3)
	f := g.faults
	for _, strike := range []func(){
		func() { f.written.armed.Add(2) },
		func() { f.connecting.armed.Add(1) },
		func() { g.FailTopic(t.Context(), "cards/0") },
		func() { g.FailTopics(t.Context()) },
		func() { g.FailClients(t.Context()) },
		func() { g.FailDispatcher(0) },
		func() { g.FailBreakers() },
		g.turn,
		func() { g.FailGovernor() },
		func() { f.handling.armed.Add(1) },
		func() { g.extensions.Fail() },
		func() { g.root.Fail() },
		func() { f.afterStore.armed.Add(1) },
	} {
		strike()
	}
	published(15)
	trial.Eventually(t, func() (int64, bool) {
		happened := f.afterStore.done.Load() + f.written.done.Load()
		return happened, happened >= 3
	})
	var ended sync.WaitGroup
	ended.Go(l.end)
	if err := g.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	ended.Wait()
}
