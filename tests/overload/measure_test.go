package overload

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// A meter watches the memory of a process.
type meter struct {
	statm string
	quit  chan struct{}
	done  sync.WaitGroup
	once  sync.Once

	rss []int64 // owned by the goroutine until it has ended
}

// watch begins to measure, until end or the end of the test.
func watch(t *testing.T, hub *harness.Process) *meter {
	m := &meter{statm: "/proc/" + strconv.Itoa(hub.PID()) + "/statm", quit: make(chan struct{})}
	m.done.Go(m.run)
	t.Cleanup(m.end)
	return m
}

func (m *meter) run() {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if text, err := os.ReadFile(m.statm); err == nil {
			fields := bytes.Fields(text)
			pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
			m.rss = append(m.rss, pages*int64(os.Getpagesize()))
		}
		select {
		case <-tick.C:
		case <-m.quit:
			return
		}
	}
}

func (m *meter) end() {
	m.once.Do(func() { close(m.quit) })
	m.done.Wait()
}

// thirds is the most that was used in each third of the time.
func (m *meter) thirds() (most [3]int64) {
	m.end()
	for i, rss := range m.rss {
		third := 3 * i / len(m.rss)
		most[third] = max(most[third], rss)
	}
	return most
}

func (m *meter) peak() int64 {
	most := m.thirds()
	return slices.Max(most[:])
}

// A durations gathers how long something took, from many goroutines.
type durations struct {
	mu  sync.Mutex
	all []time.Duration
}

func (d *durations) add(took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, took)
}

func (d *durations) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.all)
}

func (d *durations) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = nil
}

// at is a percentile.
func (d *durations) at(percent int) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.all) == 0 {
		return 0
	}
	slices.Sort(d.all)
	return round(d.all[(len(d.all)-1)*percent/100])
}

func round(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(100 * time.Microsecond)
}

// metric is the sum of a metric over its labels. An error means that the hub has
// no connection for who asks.
func metric(ctx context.Context, hub *harness.Process, name string) (sum float64, err error) {
	_, text, err := harness.Get(ctx, hub.URL("/metrics"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(text) {
		rest, found := strings.CutPrefix(line, name)
		if !found || rest[0] != '{' && rest[0] != ' ' {
			continue
		}
		fields := strings.Fields(rest)
		value, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			return 0, fmt.Errorf("metric %q: %w", line, err)
		}
		sum += value
	}
	return sum, nil
}

// mb is for tables.
func mb(bytes int64) int64 { return (bytes + 1<<19) >> 20 }

// levelled checks that memory was flat at last, and within its budget. A load as
// short as the short form's is over before memory is level.
func levelled(t *testing.T, table *trial.Table, what string, m *meter, budget int64) {
	t.Helper()
	thirds := m.thirds()
	limit := thirds[1] + thirds[1]/4 + 32<<20
	table.Row(what+": most RSS in each third of the load", trial.Pick("", "at last a quarter + 32 MB more than before, or less"),
		"%d, %d, %d MB", mb(thirds[0]), mb(thirds[1]), mb(thirds[2]))
	if trial.Long() && thirds[2] > limit {
		t.Errorf("memory goes on growing: %d, then %d, then %d MB", mb(thirds[0]), mb(thirds[1]), mb(thirds[2]))
	}
	within(t, table, what+": most RSS", m.peak(), budget)
}

// within checks memory against its budget.
func within(t *testing.T, table *trial.Table, what string, used, budget int64) {
	t.Helper()
	table.Row(what, "at most "+strconv.FormatInt(mb(budget), 10)+" MB", "%d MB", mb(used))
	if used > budget {
		t.Errorf("%s: %d MB, the budget is %d MB", what, mb(used), mb(budget))
	}
}

// recovered checks how long it took until all was as before.
func recovered(t *testing.T, table *trial.Table, what string, took time.Duration) {
	t.Helper()
	table.Row(what+": all as before after", fmt.Sprintf("at most %v", recovery()), "%v", round(took))
	if took > recovery() {
		t.Errorf("%s: it took %v until all was as before", what, took)
	}
}

// report fails the test for what should not have been, and counts it.
func report(t *testing.T, wrong []string) int {
	t.Helper()
	const enough = 5
	for i, what := range wrong {
		if i == enough {
			t.Errorf("and %d more", len(wrong)-enough)
			break
		}
		t.Error(what)
	}
	return len(wrong)
}

// memoryReturns waits until the hub has given memory back. Go collects garbage when
// there is as much again as half of what is in use, which asking for metrics makes
// in the end, and every two minutes; and it returns pages bit by bit.
func memoryReturns(t *testing.T, table *trial.Table, hub *harness.Process, to int64) {
	t.Helper()
	start := time.Now()
	rss := awaitMemory(t, hub, to)
	table.Row("RSS when it is over", fmt.Sprintf("at most %d MB", mb(to)), "%d MB after %v", mb(rss), round(time.Since(start)))
}

// awaitMemory waits until the hub has given memory back.
func awaitMemory(t *testing.T, hub *harness.Process, to int64) (rss int64) {
	t.Helper()
	return trial.EventuallyWithin(t, 5*time.Minute, func() (int64, bool) {
		_, _ = metric(t.Context(), hub, "")
		rss := trial.Usage(t, hub).RSS
		return rss, rss <= to
	})
}
