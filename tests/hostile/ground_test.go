package hostile

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// A ground is a hub under attack, and a bystander who uses it meanwhile.
type ground struct {
	hub    *harness.Process
	before harness.Usage
	// goroutines are what it had before.
	goroutines int

	rows []row

	// The bystander's.
	follower, prober *harness.Subscriber
	probes           int
	published        atomic.Int64
	failed           atomic.Int64
	slowest          atomic.Int64 // of its publishes, in nanoseconds
	leave            func()
}

// A row is what became of one group.
type row struct {
	name                              string
	attacks, wrong                    int
	problems, bares, accepted, closed int
	unserved                          int   // times that the hub was not there for others
	together                          int   // connections at once
	grown                             int64 // RSS, in bytes
	descriptors, goroutines           int   // more than before
}

func newGround(t *testing.T, hub *harness.Process) *ground {
	g := &ground{hub: hub}
	g.follower, g.prober = trial.Follow(t, hub, "bystander/*"), trial.Follow(t, hub, "probe/*")
	for range 100 { // what a hub needs when it begins to work is nothing that an attack costs
		trial.Publish(t, hub, harness.Event{Topic: "warm/1", Type: "warm"})
	}
	g.before, g.goroutines = trial.Usage(t, hub), metric(t, hub, "go_goroutine_count")
	ctx, cancel := context.WithCancel(context.Background())
	var bystander sync.WaitGroup
	bystander.Go(func() { g.live(ctx) })
	g.leave = sync.OnceFunc(func() { cancel(); bystander.Wait() })
	t.Cleanup(g.leave)
	return g
}

// live publishes until ctx ends, one event after the other, and never twice.
func (g *ground) live(ctx context.Context) {
	for ctx.Err() == nil {
		start := time.Now()
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*patience)
		a, err := harness.Publish(within, g.hub.URL("/v1/events"), harness.Event{Topic: "bystander/1", Type: "lives"})
		cancel()
		if err != nil || a.Status != http.StatusOK {
			g.failed.Add(1)
		} else {
			g.published.Add(1)
		}
		g.slowest.Store(max(g.slowest.Load(), int64(time.Since(start))))
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// probe sees whether the hub is there for others: it answers, and what is published
// arrives.
func (g *ground) probe(t testing.TB, within time.Duration) error {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if status, text, err := harness.Get(ctx, g.hub.URL("/livez")); err != nil || status != http.StatusOK {
		return fmt.Errorf("livez: %d %s %w", status, text, err)
	}
	g.probes++
	a, err := harness.Publish(ctx, g.hub.URL("/v1/events"), harness.Event{Topic: "probe/1", Type: "probe"})
	if err != nil || a.Status != http.StatusOK {
		return fmt.Errorf("publish: %d %s %w", a.Status, a.Detail, err)
	}
	return g.prober.Wait(ctx, func(s *harness.Subscriber) bool { return s.Count() >= g.probes })
}

// try runs the attacks of a group, one after the other.
func (g *ground) try(t *testing.T, group group) {
	r := g.begin(group.name)
	for _, a := range group.attacks {
		got, err := a.run(t, g.hub.Addr)
		if err == nil {
			err = a.want.judge(got)
		}
		r.add(got)
		if err != nil {
			r.wrong++
			t.Errorf("%s: %v", a.name, err)
		}
		g.after(t, r, a.name)
	}
	g.finish(t, r)
}

func (g *ground) begin(name string) *row { return &row{name: name} }

func (r *row) add(got answer) {
	r.attacks++
	switch {
	case got.problem != nil:
		r.problems++
	case got.status >= http.StatusBadRequest:
		r.bares++
	case got.status > 0:
		r.accepted++
	}
	if got.closed {
		r.closed++
	}
}

func (g *ground) after(t *testing.T, r *row, name string) {
	if err := g.probe(t, patience); err != nil {
		r.unserved++
		t.Errorf("after %s the hub is not there for others: %v", name, err)
	}
}

// Bounds of what is left, and of what it may have been.
const (
	mostDescriptors = 16 // the log opens and closes files of its own
	mostGoroutines  = 32
	mostGrown       = 64 << 20  // however many try it: bodies that arrive, and garbage
	connectionCost  = 160 << 10 // and a connection, whatever it is used for; garbage makes it twice as much
)

func (g *ground) finish(t *testing.T, r *row) {
	used := trial.Eventually(t, func() (harness.Usage, bool) {
		u, err := g.hub.Usage()
		return u, err == nil && u.Descriptors <= g.before.Descriptors+mostDescriptors
	})
	r.descriptors, r.grown = used.Descriptors-g.before.Descriptors, used.PeakRSS-g.before.RSS
	r.goroutines = trial.Eventually(t, func() (int, bool) {
		n := metric(t, g.hub, "go_goroutine_count") - g.goroutines
		return n, n <= mostGoroutines
	})
	if most := int64(mostGrown+r.together*connectionCost) * memoryFactor; r.grown > most {
		t.Errorf("%s: the hub has grown by %d MB, more than %d", r.name, r.grown>>20, most>>20)
	}
	g.rows = append(g.rows, *r)
}

// metric is what the hub says about itself under a name, labels included.
func metric(t testing.TB, hub *harness.Process, name string) int {
	t.Helper()
	_, text := trial.Get(t, hub, "/metrics")
	_, text, found := strings.Cut(text, "\n"+name+" ")
	text, _, _ = strings.Cut(text, "\n")
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || !found {
		t.Fatalf("the metric %s is %q", name, text)
	}
	return int(value)
}

// end sees whether the bystander got all that was acknowledged, once and in order.
func (g *ground) end(t *testing.T) {
	g.leave()
	if g.failed.Load() > 0 {
		t.Errorf("%d of the bystander's publishes failed", g.failed.Load())
	}
	n := int(g.published.Load())
	seen := trial.Saw(t, g.follower, n)
	if len(seen) != n {
		t.Errorf("the bystander published %d events and got %d", n, len(seen))
	}
	for i := 1; i < len(seen); i++ {
		if seen[i].Offset <= seen[i-1].Offset {
			t.Errorf("the bystander got %d after %d", seen[i].Offset, seen[i-1].Offset)
		}
	}
	if connects, _ := g.follower.Connects(); connects != 1 {
		t.Errorf("the bystander had to connect %d times", connects)
	}
}

// report adds what was found to the table: answers that are wrong, and times that
// others were not served; how many attacks were refused by a problem document, and by
// net/http without one; what the hub had grown by at most, and what it has kept.
func (g *ground) report(table *trial.Table) {
	for _, r := range g.rows {
		table.Row(fmt.Sprintf("%s, %d attacks", r.name, r.attacks), "0 wrong, 0 unserved",
			"%d wrong, %d unserved; %d problems, %d bare, %d accepted, %d closed; %+d MB, %+d files, %+d goroutines",
			r.wrong, r.unserved, r.problems, r.bares, r.accepted, r.closed, r.grown>>20, r.descriptors, r.goroutines)
	}
	table.Row("publishes of a bystander meanwhile", "0 failed", "%d, %d failed, the slowest %v",
		g.published.Load(), g.failed.Load(), time.Duration(g.slowest.Load()).Round(time.Millisecond))
}
