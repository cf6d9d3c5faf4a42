package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
)

// healths are the hub.health events that a stream has got.
func (s *stream) healths(t *testing.T) (all []Vitals) {
	t.Helper()
	for _, e := range s.events(t) {
		if e.Name != healthType {
			continue
		}
		var b body
		var v Vitals
		if err := errors.Join(json.Unmarshal(e.Data, &b), json.Unmarshal(b.Data, &v)); err != nil || b.Topic != string(nave.HealthTopic) || b.Offset != 0 || e.ID != "" {
			t.Fatalf("%+v: %v", e, err)
		}
		all = append(all, v)
	}
	return all
}

func TestHealthIsToldOnceASecondToWhoFollows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Dispatchers: 2})
		time.Sleep(time.Second / 2) // between two looks
		follower, both, others := connectTo(t, h, "", nave.Filter(nave.HealthTopic)), connectTo(t, h, "", "$hub/*", "$hub/health"), connectTo(t, h, "", "**")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		for name, s := range map[string]*stream{"a follower": follower, "one by two filters": both} {
			got := s.healths(t)
			if len(got) != 10 {
				t.Fatalf("%s hears of health %d times in 10 s", name, len(got))
			}
			for i := 1; i < len(got); i++ {
				if d := got[i].At.Sub(got[i-1].At); d != time.Second {
					t.Errorf("%s: %v between two", name, d)
				}
			}
			if last := got[9]; last.Clients != 3 || last.Service.Level != nave.LevelNormal {
				t.Errorf("%s hears %+v", name, last)
			}
		}
		if got := others.healths(t); len(got) != 0 {
			t.Errorf("who follows ** hears of health %d times", len(got))
		}
	})
}

// noNumber cannot be formatted, so that one sees whether it was tried.
var noNumber = &Vitals{EventsIn: math.NaN()}

func TestHealthCostsNothingUnlessFollowed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Dispatchers: 2})
		var log bytes.Buffer
		h.logger = slog.New(slog.NewTextHandler(&log, nil))
		tried := func() bool {
			log.Reset()
			h.publishHealth(noNumber)
			return strings.Contains(log.String(), "nobody can be told how the hub fares")
		}
		connectTo(t, h, "", "**")
		synctest.Wait()
		if tried() {
			t.Error("it is formatted although nobody follows")
		}
		s := connectTo(t, h, "", nave.Filter(nave.HealthTopic))
		synctest.Wait()
		if !tried() {
			t.Error("it is not formatted although somebody follows")
		}
		for i := range h.dispatchers {
			h.FailDispatcher(i)
		}
		time.Sleep(10 * time.Second)
		if before := len(s.healths(t)); !tried() || before < 8 {
			t.Errorf("after the dispatchers' restart: %d heard", before)
		}
		s.gone()
		time.Sleep(time.Second)
		synctest.Wait()
		if tried() {
			t.Error("it is formatted although nobody follows any more")
		}
		if n := h.shards[0].watchers.Load() + h.shards[1].watchers.Load(); n != 0 {
			t.Errorf("%d watchers are left", n)
		}
	})
}

// A hanging log does not answer until it may go on.
type hanging struct {
	eventlog.Log
	goOn  chan struct{}
	hangs *atomic.Bool
}

func (l hanging) Append(ctx context.Context, group []eventlog.Batch) ([]eventlog.Outcome, error) {
	if l.hangs.Load() {
		<-l.goOn
	}
	return l.Log.Append(ctx, group)
}

// Health is told at every level that has streams, and when the log hangs: that is when
// people look. It has no place in the order, and nobody can replay it.
func TestHealthGoesOnWhateverElseDoesNot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := hanging{memlog.Open(eventlog.Options{}), make(chan struct{}), new(atomic.Bool)}
		h := startOn(t, Config{Topics: []TopicRule{{Filter: "ui/**", Durability: nave.Transient}}},
			func(context.Context) (eventlog.Log, error) { return log, nil })
		s := connectTo(t, h, "", nave.Filter(nave.HealthTopic))
		synctest.Wait()
		seq, head := h.recent.last()
		if err := h.Pin(t.Context(), &Pin{Level: nave.LevelShed}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Publish(t.Context(), event("ui/1", "clicked", 1)); nave.CodeOf(err) != nave.CodeDegraded {
			t.Errorf("a transient event at shed: %v", err)
		}
		log.hangs.Store(true)
		pending, err := h.Submit(t.Context(), event("cards/1", "moved", 1))
		if err != nil {
			t.Fatal(err)
		}
		before := len(s.healths(t))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		got := s.healths(t)
		if len(got)-before < 9 || got[len(got)-1].Service.Level != nave.LevelShed {
			t.Errorf("%d heard of health in 10 s, the last at %v", len(got)-before, got[len(got)-1].Service.Level)
		}
		close(log.goOn)
		if _, err := pending.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if now, after := h.recent.last(); now != seq+2 || after != head+2 { // the pin, and the card
			t.Errorf("%d groups and %d offsets have come", now-seq, after-head)
		}
	})
}
