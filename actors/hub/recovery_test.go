package hub

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
	"github.com/navehub/nave/eventlog/pebblelog"
	"github.com/navehub/nave/telemetry"
)

// A slowLog returns from Append late, when its events can be read already.
type slowLog struct {
	eventlog.Log
	delay *atomic.Int64
}

func (l slowLog) Append(ctx context.Context, group []eventlog.Batch) ([]eventlog.Outcome, error) {
	outcomes, err := l.Log.Append(ctx, group)
	time.Sleep(time.Duration(l.delay.Load()))
	return outcomes, err
}

// What the log shows a moment before the hub has handed it on is no future: a
// cursor from there can be resumed.
func TestCursorFromAReadThatWasAheadCanBeResumed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var delay atomic.Int64
		log := slowLog{memlog.Open(eventlog.Options{}), &delay}
		h := startOn(t, Config{Limits: Limits{RecentBytes: 1}}, func(context.Context) (eventlog.Log, error) { return log, nil })
		for range 3 {
			publish1(t, h, event("cards/1", "moved", 1))
		}
		delay.Store(int64(time.Second))
		go func() { _, _ = h.Publish(t.Context(), event("cards/1", "moved", 4)) }()
		time.Sleep(time.Millisecond)

		state, err := h.State(t.Context(), nave.Filters{"cards/*"})
		if err != nil {
			t.Fatal(err)
		}
		defer state.Close()
		s := connectTo(t, h, cursorAt(h, state.Offset()), "cards/*")
		page, err := h.Poll(t.Context(), client.Request{Filters: nave.Filters{"cards/*"}, Cursor: cursorAt(h, 1)}, 0)
		if err != nil {
			t.Fatal(err)
		}
		next, err := h.Poll(t.Context(), client.Request{Filters: nave.Filters{"cards/*"}, Cursor: page.Cursor.String()}, 0)
		if err != nil || next.Sync.Status != "recovered" {
			t.Errorf("the cursor %v of a page is answered with %+v, %v", page.Cursor, next.Sync, err)
		}
		time.Sleep(2 * time.Second)
		delay.Store(0)
		publish1(t, h, event("cards/1", "moved", 5))
		synctest.Wait()
		if got := s.statuses(t); !slices.Equal(got, []string{"recovered/"}) {
			t.Errorf("the cursor of the state is answered with %v", got)
		}
		if err := rising(s.offsets(t), state.Offset()+1, 5); err != nil {
			t.Error(err)
		}
	})
}

func TestCommittedGroupIsDeliveredAlthoughTheJournalFailsThen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		open, _ := faulty()
		h := startOn(t, Config{}, open)
		s := connectTo(t, h, "", "**")
		synctest.Wait()
		batch := eventlog.Batch{Events: []nave.Event{event("cards/1", "moved", 1)}, Durability: nave.Durable, Time: time.Now()}
		_ = h.journal.Tell(commit{batch: batch}) // without a topic: it fails as it answers
		time.Sleep(time.Second)
		synctest.Wait()
		if err := rising(s.offsets(t), 1, 1); err != nil {
			t.Error(err)
		}
	})
}

func TestRecoveredEventsDoNotDistortPropagation(t *testing.T) {
	bubble(t, func(t *testing.T) {
		reader := sdkmetric.NewManualReader()
		measured, err := telemetry.New(telemetry.Config{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))})
		if err != nil {
			t.Fatal(err)
		}
		open, fail := faulty()
		h := startOn(t, Config{Telemetry: measured}, open)
		connectTo(t, h, "", "**")
		synctest.Wait()
		fail(func() error { return eventlog.ErrBroken })
		_, _ = h.Publish(t.Context(), event("cards/1", "moved", 1)) // stored, and nobody knows
		time.Sleep(10 * time.Second)
		synctest.Wait()
		var all metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, m := range all.ScopeMetrics[0].Metrics {
			if h, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == "nave.delivery.duration" {
				found = true
				if p := h.DataPoints[0]; p.Count != 1 || p.Sum > 60 {
					t.Errorf("%d deliveries took %g s", p.Count, p.Sum)
				}
			}
		}
		if !found {
			t.Error("no delivery was measured")
		}
	})
}

// unreadable fails State as often as it is told.
type unreadable struct {
	eventlog.Log
	times *atomic.Int64
}

func (l unreadable) State(ctx context.Context, filters nave.Filters) (eventlog.Snapshot, error) {
	if l.times.Add(-1) >= 0 {
		return nil, eventlog.ErrBroken
	}
	return l.Log.State(ctx, filters)
}

func TestSnapshotWaitsForALogThatIsBeingReopened(t *testing.T) {
	bubble(t, func(t *testing.T) {
		times := new(atomic.Int64)
		log := unreadable{memlog.Open(eventlog.Options{}), times}
		h := startOn(t, Config{}, func(context.Context) (eventlog.Log, error) { return log, nil })
		e := event("cards/1", "moved", 1)
		e.Key = "card-1"
		publish1(t, h, e)
		times.Store(3)
		s := &stream{}
		if err := h.Connect(t.Context(), client.Request{Filters: nave.Filters{"**"}, Snapshot: true, Transport: s}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := s.statuses(t); !slices.Equal(got, []string{"live/", "live/"}) || s.events(t)[0].Name != "hub.sync" {
			t.Errorf("verdicts = %v, want those around the snapshot, first of all", got)
		}
		if err := rising(s.offsets(t), 1, 1); err != nil {
			t.Error(err)
		}
	})
}

// waiting handles nothing until its context ends.
type waiting struct{ started chan struct{} }

func (w waiting) Handle(ctx context.Context, _ nave.Event) error {
	close(w.started)
	<-ctx.Done()
	return ctx.Err()
}

func TestShutdownTellsAnExtensionThatWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := waiting{make(chan struct{})}
		h := start(t, Config{Extensions: []Extension{{
			Name: "waiting", Filters: nave.Filters{"**"}, New: func(Publisher) Handler { return w },
		}}})
		synctest.Wait()
		publish1(t, h, event("cards/1", "moved", 1))
		<-w.started
		begin := time.Now()
		if err := h.Shutdown(t.Context()); err != nil || time.Since(begin) > time.Second {
			t.Errorf("Shutdown: %v after %v", err, time.Since(begin))
		}
	})
}

// A forgetful log has lost what happened in session topics before an offset, as a
// restart loses the events of memory topics.
type forgetful struct {
	eventlog.Log
	before uint64
}

func (l forgetful) Oldest(filters nave.Filters) uint64 {
	if filters.Match("session/1") {
		return max(l.before, l.Log.Oldest(filters))
	}
	return l.Log.Oldest(filters)
}

func (l forgetful) Read(ctx context.Context, after uint64, filters nave.Filters, limit eventlog.Limit) (eventlog.Page, error) {
	if after < l.Oldest(filters) {
		return eventlog.Page{}, &nave.ResetError{Reason: nave.ResetRetention}
	}
	return l.Log.Read(ctx, after, filters, limit)
}

func (forgetful) Close() error { return nil }

func TestExtensionLosesNoDurableEventWithTheMemoryOnes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := memlog.Open(eventlog.Options{})
		opened := func(before uint64) eventlog.Opener {
			return func(context.Context) (eventlog.Log, error) { return forgetful{log, before}, nil }
		}
		r := &recorder{}
		config := Config{Extensions: []Extension{{
			Name: "recorder", Filters: nave.Filters{"session/*", "cards/*"}, New: func(Publisher) Handler { return r },
		}}}
		first := startOn(t, config, opened(0))
		synctest.Wait()
		publish1(t, first, event("cards/1", "moved", 1))
		time.Sleep(time.Minute)
		end(t, first)
		without := startOn(t, Config{}, opened(0))
		publish1(t, without, event("session/1", "idle", "lost"))
		publish1(t, without, event("cards/1", "moved", 2))
		end(t, without)

		again := startOn(t, config, opened(log.Head()))
		synctest.Wait()
		publish1(t, again, event("session/1", "idle", 3))
		publish1(t, again, event("cards/1", "moved", 4))
		synctest.Wait()
		if got, want := r.data(), []string{"1", "2", "3", "4"}; !slices.Equal(got, want) {
			t.Errorf("handled %v, want %v", got, want)
		}
	})
}

// That a restart ends what memory topics had is as it should be; that more is
// missing is not, and may be so where a filter can match other topics as well.
func TestExtensionWarnsOfWhatShouldHaveLasted(t *testing.T) {
	for filter, warns := range map[nave.Filter]bool{"session/1": false, "session/*": true} {
		t.Run(string(filter), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				log := memlog.Open(eventlog.Options{})
				config := Config{
					Topics:     []TopicRule{{Filter: "session/1", Durability: nave.Memory}},
					Extensions: []Extension{{Name: "recorder", Filters: nave.Filters{filter}, New: func(Publisher) Handler { return &recorder{} }}},
				}
				first := startOn(t, config, func(context.Context) (eventlog.Log, error) { return forgetful{log, 0}, nil })
				synctest.Wait()
				publish1(t, first, event("session/1", "idle", 1))
				end(t, first)

				var said bytes.Buffer
				config.Logger = slog.New(slog.NewTextHandler(&said, nil))
				again := New(config, func(context.Context) (eventlog.Log, error) { return forgetful{log, log.Head()}, nil })
				if err := again.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				end(t, again)
				if text := said.String(); strings.Contains(text, "WARN") != warns || !strings.Contains(text, "extension=recorder") {
					t.Errorf("warns: want %t, and it says %s", warns, text)
				}
			})
		})
	}
}

func TestHubThatIsNotRunningSaysSo(t *testing.T) {
	h := New(Config{}, memlog.Opener(eventlog.Options{}))
	_, publishErr := h.Publish(t.Context(), event("cards/1", "moved", 1))
	_, pollErr := h.Poll(t.Context(), client.Request{Filters: nave.Filters{"**"}}, 0)
	_, stateErr := h.State(t.Context(), nave.Filters{"**"})
	for what, err := range map[string]error{"publish": publishErr, "poll": pollErr, "state": stateErr} {
		if !errors.Is(err, errNotStarted) {
			t.Errorf("%s before Start: %v", what, err)
		}
	}
}

// A hub that could not start has closed its log when it is shut down: another can be
// started where it was.
func TestStartThatFailsLeavesNoLogOpen(t *testing.T) {
	open := pebblelog.Opener(t.TempDir(), pebblelog.Options{Logger: slog.New(slog.DiscardHandler)})
	log, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unreadable := eventlog.Batch{Durability: nave.Durable, Events: []nave.Event{{Topic: revocations, Key: "k", Type: "revoked", Data: []byte(`"?"`)}}}
	_, appendErr := log.Append(t.Context(), []eventlog.Batch{unreadable})
	if err := errors.Join(appendErr, log.Close()); err != nil {
		t.Fatal(err)
	}

	h := New(Config{}, open)
	if err := h.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "load the revocations") {
		t.Fatalf("start: %v", err)
	}
	end(t, h)
	if log, err = open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Error(err)
	}
}
