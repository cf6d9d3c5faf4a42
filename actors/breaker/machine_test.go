package breaker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A model is what a machine should do, said as simply as possible.
type model struct {
	config   Config
	state    State
	since    time.Time
	until    [2]time.Time // open: not before, and not after
	attempts int
	calls    map[int]tally // closed: by the tenth of a window since
	probes   tally
	probing  time.Time
}

func (m *model) close(now time.Time) {
	*m = model{config: m.config, state: Closed, since: now, calls: map[int]tally{}}
}

func (m *model) open(now time.Time) {
	m.attempts++
	least, most := m.config.Open, time.Duration(1.5*float64(m.config.Open))
	for range m.attempts - 1 {
		least, most = min(2*least, m.config.MaxOpen), min(2*most, m.config.MaxOpen)
	}
	most = min(most, m.config.MaxOpen)
	least = max(min(least, most*2/3), m.config.Open)
	*m = model{
		config: m.config, state: Open, since: now, attempts: m.attempts,
		until: [2]time.Time{now.Add(least - time.Microsecond), now.Add(most + time.Microsecond)},
	}
}

func (m *model) bucket(now time.Time) int { return int(now.Sub(m.since) / (m.config.Window / buckets)) }

func (m *model) count(now time.Time, t tally) {
	switch m.state {
	case HalfOpen:
		m.probes.add(t)
	case Closed:
		sum := m.calls[m.bucket(now)]
		sum.add(t)
		m.calls[m.bucket(now)] = sum
	}
}

func (m *model) window(now time.Time) (sum tally) {
	for b, t := range m.calls {
		if m.bucket(now)-b < buckets {
			sum.add(t)
		}
	}
	return sum
}

func (m *model) bad(t tally, n int) bool {
	return float64(t.failed)/float64(n) >= m.config.ErrorRate ||
		m.config.SlowCall > 0 && float64(t.slow)/float64(n) >= m.config.SlowRate
}

// step is told whether the time of an open one has passed, as only the machine
// knows when exactly that is.
func (m *model) step(now time.Time, passed bool) {
	n := m.config.Probes
	switch {
	case m.state == Closed && m.window(now).calls >= m.config.MinCalls && m.bad(m.window(now), m.window(now).calls):
		m.open(now)
	case m.state == Open && passed:
		m.state, m.since = HalfOpen, now
	case m.state != HalfOpen:
	case m.bad(m.probes, n):
		m.open(now)
	case m.probes.calls >= n:
		m.close(now)
	case !m.probing.IsZero() && now.Sub(m.probing) >= m.config.Window:
		m.open(now)
	}
}

func TestMachineDoesAsTheModel(t *testing.T) {
	rates := []float64{0.25, 0.5, 0.75, 1}
	rapid.Check(t, func(t *rapid.T) {
		config := Config{
			Name:      "x",
			Window:    10 * time.Second,
			MinCalls:  rapid.IntRange(1, 20).Draw(t, "min"),
			ErrorRate: rapid.SampledFrom(rates).Draw(t, "errors"),
			SlowCall:  rapid.SampledFrom([]time.Duration{0, time.Second}).Draw(t, "slow"),
			SlowRate:  rapid.SampledFrom(rates).Draw(t, "slows"),
			MaxOpen:   rapid.SampledFrom([]time.Duration{time.Millisecond, 3 * time.Second, time.Minute}).Draw(t, "longest"),
			Probes:    rapid.IntRange(1, 4).Draw(t, "probes"),
		}.withDefaults()
		random := func() float64 { return rapid.Float64Range(0, 0.999).Draw(t, "random") }
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		m := newMachine(config, random, now)
		want := &model{config: config}
		want.close(now)
		t.Repeat(map[string]func(*rapid.T){
			"calls": func(t *rapid.T) {
				most := 10
				if want.state == HalfOpen {
					most = config.Probes - want.probes.calls
					m.probe(now)
					want.probing = maxTime(want.probing, now)
				}
				c := tally{calls: rapid.IntRange(0, most).Draw(t, "calls")}
				c.failed, c.slow = rapid.IntRange(0, c.calls).Draw(t, "failed"), rapid.IntRange(0, c.calls).Draw(t, "slow")
				if want.state != Open { // then nothing is counted
					m.count(now, c)
					want.count(now, c)
				}
			},
			"time": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(15*time.Second)).Draw(t, "pass")))
			},
			"reset": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "seldom") == 0 {
					m.reset(now, "")
					want.close(now)
				}
			},
			"": func(t *rapid.T) {
				before := want.state
				passed := !now.Before(m.until)
				if want.state == Open && (m.until.Before(want.until[0]) || m.until.After(want.until[1])) {
					t.Fatalf("attempt %d: open until %v, want one of %v", want.attempts, m.until, want.until)
				}
				changed := m.step(now)
				want.step(now, passed)
				if m.state != want.state || changed != (before != want.state) || !m.since.Equal(want.since) {
					t.Fatalf("%s since %v (changed: %t), want %s since %v", m.state, m.since, changed, want.state, want.since)
				}
				checkNext(t, m, now)
			},
		})
	})
}

func maxTime(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

// checkNext wants nothing to happen before the time that the machine has named, and
// never anything if it has named none.
func checkNext(t *rapid.T, m machine, now time.Time) {
	in, ok := m.next(now)
	if !ok {
		in = time.Hour
	}
	if in > 0 && m.step(now.Add(in-1)) {
		t.Fatalf("it has changed to %s although there was nothing to do before %v (%t)", m.state, in, ok)
	}
}

func TestReasonsAreSentences(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	config := Config{Name: "mail", SlowCall: time.Second}.withDefaults()
	m := newMachine(config, func() float64 { return 0 }, now)
	var got []string
	then := func(in time.Duration, c tally) {
		now = now.Add(in)
		m.probe(now)
		m.count(now, c)
		if m.step(now) {
			got = append(got, fmt.Sprintf("%s: %s", m.state, m.why))
		}
	}
	then(0, tally{calls: 19, failed: 12})
	then(0, tally{calls: 1})
	then(1500*time.Millisecond, tally{})
	then(0, tally{calls: 2, failed: 2})
	then(3*time.Second, tally{})
	then(time.Second, tally{calls: 1})
	then(10*time.Second, tally{})
	then(6*time.Second, tally{})
	then(0, tally{calls: 3, failed: 1})
	then(0, tally{calls: 20, slow: 16})
	want := []string{
		"open: 12 of 20 calls failed",
		"half-open: 12 of 20 calls failed",
		"open: 2 of 3 probes failed",
		"half-open: 2 of 3 probes failed",
		"open: 2 of 3 probes did not come back within 10s",
		"half-open: 2 of 3 probes did not come back within 10s",
		"closed: 2 of 3 probes went well",
		"open: 16 of 20 calls took longer than 1s",
	}
	if a, b := strings.Join(got, "\n"), strings.Join(want, "\n"); a != b {
		t.Errorf("got:\n%s\nwant:\n%s", a, b)
	}
}

func TestOpenTimeGrowsUpToABound(t *testing.T) {
	c := Config{}.withDefaults()
	for _, random := range []float64{0, 0.5, 0.999999} {
		last := time.Duration(0)
		for n := range 2000 {
			d := c.openFor(n+1, random)
			if d < last || d < c.Open || d > c.MaxOpen {
				t.Fatalf("attempt %d: %v after %v", n+1, d, last)
			}
			last = d
		}
		if last < c.MaxOpen*2/3-1 {
			t.Errorf("it grows to %v only", last)
		}
	}
	c = Config{Open: time.Hour}.withDefaults()
	if d := c.openFor(1, 0.9); d != time.Hour {
		t.Errorf("longer than the most at first: %v", d)
	}
}
