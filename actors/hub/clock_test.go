package hub

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
)

// An hourLog writes down the hours that it is given to count from, and to.
type hourLog struct {
	eventlog.Log
	stamped, trimmed atomic.Pointer[time.Time]
}

func (l *hourLog) Append(ctx context.Context, group []eventlog.Batch) ([]eventlog.Outcome, error) {
	for i := range group {
		l.stamped.Store(&group[i].Time)
	}
	return l.Log.Append(ctx, group)
}

func (l *hourLog) Trim(ctx context.Context, now time.Time) error {
	l.trimmed.Store(&now)
	return l.Log.Trim(ctx, now)
}

// startWithHours starts a hub on a log that holds these batches.
func startWithHours(t *testing.T, held ...eventlog.Batch) (*Hub, *hourLog) {
	t.Helper()
	log := &hourLog{Log: memlog.Open(eventlog.Options{Durable: eventlog.Retention{Age: time.Hour}})}
	if _, err := log.Append(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	return startOn(t, Config{}, func(context.Context) (eventlog.Log, error) { return log, nil }), log
}

// What the log counts from is the hub's own clock, whatever time an event names:
// one that names the past is kept as long as any other.
func TestRetentionCountsByTheHubsClock(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, log := startWithHours(t)
		for i, day := range []int{-30, 0, 30} {
			e := event("cards/1", "moved", i)
			e.Time = time.Now().AddDate(0, 0, day)
			publish1(t, h, e)
			if at := *log.stamped.Load(); !at.Equal(h.logTime()) {
				t.Errorf("an event of %v is counted from %v, want the hub's clock, %v", e.Time, at, h.logTime())
			}
		}
		time.Sleep(59 * time.Minute)
		if n := log.Oldest(nave.Filters{"**"}); n != 0 {
			t.Errorf("after 59 minutes retention has taken events up to %d", n)
		}
		time.Sleep(2 * time.Minute)
		if n := log.Oldest(nave.Filters{"**"}); n != 3 {
			t.Errorf("after an hour retention has taken events up to %d, want all 3", n)
		}
		if lag := h.logTime().Sub(*log.trimmed.Load()); lag < 0 || lag > trimEvery {
			t.Errorf("retention was applied as of %v ago by the hub's clock, want at most %v", lag, trimEvery)
		}
	})
}

// A log from the future, or from a past that the machine's clock has fallen behind,
// goes on from where it is: nothing that is stored now is old at once, and nothing
// stays for ever.
func TestTheLogsTimeDoesNotGoBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		e := event("cards/1", "moved", 1)
		e.ID = "once"
		later := time.Now().AddDate(30, 0, 0)
		h, log := startWithHours(t, eventlog.Batch{Events: []nave.Event{e}, Durability: nave.Durable, Time: later})
		time.Sleep(10 * time.Minute)
		publish1(t, h, event("cards/1", "moved", 2))
		if at, want := *log.stamped.Load(), later.Add(10*time.Minute); !at.Equal(want) {
			t.Errorf("ten minutes after the start an event is counted from %v, want %v", at, want)
		}
		if p := publish1(t, h, e); !p.Repeat {
			t.Error("an id that is in the log is forgotten")
		}
		for _, c := range []struct {
			after time.Duration
			taken uint64
		}{{49 * time.Minute, 0}, {2 * time.Minute, 1}, {10 * time.Minute, 2}} {
			time.Sleep(c.after)
			if n := log.Oldest(nave.Filters{"**"}); n != c.taken {
				t.Errorf("%v later retention has taken events up to %d, want %d", c.after, n, c.taken)
			}
		}
	})
}

// Both the hub's own events and others are counted by a clock with a monotonic
// reading, which is what keeps it from jumping.
func TestSteadyClockIsMonotonic(t *testing.T) {
	h, log := startWithHours(t)
	publish1(t, h, event("cards/1", "moved", 1))
	checkMonotonic(t, *log.stamped.Load())
	if _, err := h.publishOwn(t.Context(), nave.Event{Topic: "$hub/test", Type: "hub.test"}); err != nil {
		t.Fatal(err)
	}
	checkMonotonic(t, *log.stamped.Load())
}

func checkMonotonic(t *testing.T, at time.Time) {
	t.Helper()
	if at == at.Round(0) { // which strips it
		t.Errorf("%v has no monotonic reading", at)
	}
	if off := at.Sub(started) - at.Round(0).Sub(started.Round(0)); off != 0 {
		t.Errorf("since the start of the process the wall clock has gone on by %v more than time", off)
	}
}
