package hub

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
	"github.com/navehub/nave/frame"
)

// A pressure is what the governor sees of the process.
type pressure struct {
	atomic.Int64             // bytes of the heap that are in use
	failing      atomic.Bool // the next look panics
}

func (p *pressure) look() usage {
	if p.failing.CompareAndSwap(true, false) {
		panic("as told")
	}
	return usage{Heap: p.Load()}
}

// pressed is a hub that has 1,000 bytes of memory, of which the test says how many are in
// use.
func pressed(t *testing.T, config Config) (h *Hub, used *pressure) {
	t.Helper()
	used = new(pressure)
	config.Levels.Memory = 1000
	config.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	h = New(config, memlog.Opener(eventlog.Options{}))
	h.governing.look = used.look
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		time.Sleep(time.Microsecond) // fake: lets the goroutine of protoactor's dead letters end
	})
	return h, used
}

// levels are those that a stream was told of.
func (s *stream) levels(t *testing.T) (all []frame.Level) {
	t.Helper()
	for _, e := range s.events(t) {
		var said frame.Level
		if e.Name == frame.LevelName {
			if err := json.Unmarshal(e.Data, &said); err != nil {
				t.Fatal(err)
			}
			all = append(all, said)
		}
	}
	return all
}

// passes lets time pass, and returns the levels that the hub held meanwhile.
func passes(h *Hub, d time.Duration) (levels []nave.Level) {
	before := h.Level()
	for range d / (100 * time.Millisecond) {
		time.Sleep(100 * time.Millisecond)
		if now := h.Level(); now != before {
			levels, before = append(levels, now), now
		}
	}
	synctest.Wait()
	return levels
}

// Under pressure the hub gives things up one level at a time, tells everybody, and comes
// back when all is calm. To publish durable events it never gives up.
func TestDegradesInOrderAndSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, used := pressed(t, Config{Topics: []TopicRule{{Filter: "ui/*", Durability: nave.Transient}}})
		s := connectTo(t, h, "", "**")
		passes(h, 10*time.Second)
		durable := func() {
			publish1(t, h, event("cards/1", "moved", 1))
		}
		transient := func(want nave.Code) {
			if _, err := h.Publish(t.Context(), event("ui/1", "click", 1)); nave.CodeOf(err) != want {
				t.Errorf("at %s a transient event is answered with %v", h.Level(), err)
			}
		}
		durable()
		transient("")
		used.Store(990)
		for i, want := range nave.Levels[1:] {
			got := passes(h, 2*time.Second)
			if i == 0 {
				got = append(got, passes(h, 2*time.Second)...) // it asks for two seconds first
			}
			if len(got) != 1 || got[0] != want {
				t.Fatalf("the level becomes %v, want %s", got, want)
			}
			durable()
			transient(nave.CodeDegraded)
			if ready := h.Ready(); (ready == nil) != want.Has(nave.Pages) {
				t.Errorf("at %s readiness is %v", want, ready)
			}
			if now := h.Service(); now.Reason != "memory" || len(now.Signals) != 1 || now.Signals[0].Level != nave.LevelOff {
				t.Errorf("at %s the hub says %+v", want, now)
			}
		}
		if err := h.Ready(); !strings.Contains(err.Error(), "level: nothing can be read at the level off: the heap") {
			t.Errorf("it is not ready, since %v", err)
		}
		told := s.levels(t)
		want := []frame.Level{
			{Level: nave.LevelShed, Reason: "memory", ForMS: 15_000, HeartbeatMS: 15_000},
			{Level: nave.LevelConserve, Reason: "memory", ForMS: 15_000, HeartbeatMS: 45_000},
			{Level: nave.LevelPolling, Reason: "memory", ForMS: 15_000, Poll: true},
		}
		if n := len(told); n == 3 {
			want[2].RetryMS = told[2].RetryMS
		}
		if !slices.Equal(told, want) || !s.isClosed() {
			t.Errorf("the stream was told %+v, want %+v, and its end", told, want)
		}

		used.Store(0)
		if got := passes(h, 70*time.Second); !slices.Equal(got, []nave.Level{nave.LevelPolling, nave.LevelConserve, nave.LevelShed, nave.LevelNormal}) {
			t.Errorf("once it is calm the levels are %v", got)
		}
		if err := h.Ready(); err != nil || h.Service().Signals != nil || h.Service().Reason != "it is calm again" {
			t.Errorf("it is ready: %v, and says %+v", err, h.Service())
		}
		transient("")
	})
}

// Whoever is told to poll is told when to begin, and not all the same.
func TestPollersAreSpread(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, used := pressed(t, Config{RetrySpread: 5 * time.Second})
		var streams []*stream
		for range 300 {
			streams = append(streams, connectTo(t, h, "", "cards/*"))
		}
		synctest.Wait()
		used.Store(940)
		passes(h, 10*time.Second)
		var waits []int64
		for _, s := range streams {
			told := s.levels(t)
			if n := len(told); n != 3 || !told[2].Poll || !s.isClosed() {
				t.Fatalf("a stream was told %+v", told)
			}
			waits = append(waits, told[2].RetryMS)
		}
		slices.Sort(waits)
		least, most := h.config.Client.Retry.Milliseconds(), (h.config.Client.Retry + h.config.RetrySpread).Milliseconds()
		if waits[0] < least || waits[299] > most || waits[0] > least+500 || waits[299] < most-500 {
			t.Errorf("they begin after %d to %d ms, want all of %d to %d", waits[0], waits[299], least, most)
		}
		if half := waits[150]; half < least+1500 || half > most-1500 {
			t.Errorf("half of them begin within %d ms", half)
		}
		if err := h.Connect(t.Context(), client.Request{Filters: nave.Filters{"**"}, Transport: &stream{}}); nave.CodeOf(err) != nave.CodeDegraded {
			t.Errorf("a new stream is answered with %v", err)
		}
		if page, err := h.Poll(t.Context(), client.Request{Filters: nave.Filters{"**"}}, 0); err != nil || page.Level != nave.LevelPolling {
			t.Errorf("a page is of level %s, %v", page.Level, err)
		}
	})
}

// What an operator pins holds whatever signals ask for, and is no reason not to be ready.
func TestAPinWinsOverSignals(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, used := pressed(t, Config{})
		used.Store(990)
		pin := func(l nave.Level) {
			t.Helper()
			if err := h.Pin(t.Context(), &Pin{Level: l, Reason: "a trial"}); err != nil {
				t.Fatal(err)
			}
		}
		pin(nave.LevelNormal)
		if got := passes(h, time.Minute); len(got) > 0 {
			t.Errorf("it becomes %v", got)
		}
		if s := h.Service(); len(s.Signals) != 1 || s.Signals[0].Name != "memory" {
			t.Errorf("the hub says %+v, want what speaks for another level", s)
		}
		pin(nave.LevelOff)
		if err := h.Ready(); err != nil || h.Level() != nave.LevelOff {
			t.Errorf("at %s, pinned: %v", h.Level(), err)
		}
		used.Store(800)
		passes(h, 5*time.Second)
		if err := h.Pin(t.Context(), nil); err != nil || h.Level() != nave.LevelShed {
			t.Errorf("after the pin is lifted: %s, %v; want what memory asks for", h.Level(), err)
		}
	})
}

func TestLevelsCanBeLeftToOperators(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, used := pressed(t, Config{Levels: Levels{Manual: true}, Level: nave.LevelShed})
		used.Store(990)
		if got := passes(h, time.Minute); len(got) > 0 || h.Level() != nave.LevelShed {
			t.Errorf("it becomes %v", got)
		}
		if s := h.Service(); len(s.Signals) != 1 || s.Signals[0].Level != nave.LevelOff {
			t.Errorf("the hub says %+v", s)
		}
	})
}

// A governor that fails goes on with the level that it held, and with what it knew.
func TestGovernorOutlivesItsFailures(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, used := pressed(t, Config{})
		used.Store(800)
		passes(h, 5*time.Second)
		if h.Level() != nave.LevelShed {
			t.Fatalf("%s before", h.Level())
		}
		since, points := h.Service().Since, len(h.VitalsPast())
		used.failing.Store(true)
		if got := passes(h, 10*time.Second); len(got) > 0 || used.failing.Load() {
			t.Errorf("it becomes %v", got)
		}
		if s := h.Service(); s.Since != since || s.Level != nave.LevelShed {
			t.Errorf("the hub says %+v, want that it has been so since %v", s, since)
		}
		used.Store(900)
		if got := passes(h, 5*time.Second); !slices.Equal(got, []nave.Level{nave.LevelConserve}) {
			t.Errorf("and then %v", got)
		}
		if now := len(h.VitalsPast()); now < points+2 {
			t.Errorf("%d points are remembered, %d before", now, points)
		}
		if err := h.Ready(); err != nil {
			t.Error(err)
		}
	})
}

// A breaker that asks for a level has it, while it is not closed.
func TestABreakerAsksForALevel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, _ := pressed(t, Config{})
		passes(h, 5*time.Second)
		h.guard.Hold("the disk is gone", time.Time{})
		if got := passes(h, 5*time.Second); !slices.Equal(got, []nave.Level{nave.LevelShed, nave.LevelConserve}) {
			t.Errorf("the levels are %v", got)
		}
		if s := h.Service(); s.Reason != "breakers" || s.Signals[0].Detail != "open: log" {
			t.Errorf("the hub says %+v", s)
		}
		h.guard.Release()
		if got := passes(h, 40*time.Second); !slices.Equal(got, []nave.Level{nave.LevelShed, nave.LevelNormal}) {
			t.Errorf("once it is closed the levels are %v", got)
		}
	})
}

// What the clients cannot be told at once they are told later.
func TestClientsAreToldThoughTheirParentIsBusy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, used := pressed(t, Config{})
		s := connectTo(t, h, "", "cards/*")
		synctest.Wait()
		parent, busy := h.clientSpawner, make(chan struct{})
		go func() {
			_ = h.spawnClient(context.Background(), client.Request{}, nave.Streams, func(uint64) actors.Spec[client.Message] {
				<-busy
				panic("as told")
			})
		}()
		synctest.Wait()
		for parent.Tell(recheck{}) == nil {
		}
		used.Store(800)
		if passes(h, 5*time.Second); h.Level() != nave.LevelShed || len(s.levels(t)) != 0 {
			t.Fatalf("at %s the client has been told %v", h.Level(), s.levels(t))
		}
		close(busy)
		if passes(h, 2*time.Second); len(s.levels(t)) != 1 {
			t.Errorf("the client has been told %v", s.levels(t))
		}
	})
}

// A poll that waits goes on through changes of the level, but for one without pages.
func TestAWaitingPollEndsWithThePages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, _ := pressed(t, Config{})
		for level, waits := range map[nave.Level]time.Duration{nave.LevelShed: 20 * time.Second, nave.LevelPolling: 20 * time.Second, nave.LevelOff: 5 * time.Second} {
			if err := h.Pin(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			begun, done := time.Now(), make(chan time.Duration)
			go func() {
				_, _ = h.Poll(t.Context(), client.Request{Filters: nave.Filters{"cards/*"}, Cursor: cursorAt(h, h.Head())}, 20*time.Second)
				done <- time.Since(begun)
			}()
			time.Sleep(5 * time.Second)
			if err := h.Pin(t.Context(), &Pin{Level: level}); err != nil {
				t.Fatal(err)
			}
			if took := <-done; took != waits {
				t.Errorf("at %s a poll ends after %v, want %v", level, took, waits)
			}
		}
	})
}

// What the hub tells of itself is not given up with the transient events of others.
func TestTheHubsOwnTransientEventsAreNotShed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, _ := pressed(t, Config{Topics: []TopicRule{{Filter: "ui/*", Durability: nave.Transient}}})
		own, err := h.topic(t.Context(), "$hub/trial", nil)
		if err != nil {
			t.Fatal(err)
		}
		own.durability = nave.Transient // before anybody publishes there
		s := connectTo(t, h, "", "$hub/trial")
		for _, level := range nave.Levels {
			if err := h.Pin(t.Context(), &Pin{Level: level}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // every client has heard of the level
			if _, err := h.publishOwn(t.Context(), event("$hub/trial", "hub.trial", 1)); err != nil {
				t.Errorf("at %s: %v", level, err)
			}
			if _, err := h.Publish(t.Context(), event("ui/1", "click", 1)); (err == nil) != level.Has(nave.TransientEvents) {
				t.Errorf("somebody else's at %s: %v", level, err)
			}
			synctest.Wait()
		}
		seen := 0
		for _, e := range s.events(t) {
			if e.Name == "hub.trial" {
				seen++
			}
		}
		if seen != 3 {
			t.Errorf("a stream saw %d, want those of the levels with streams", seen)
		}
	})
}

// Metrics say what the governor sees.
func TestGaugesSayHowTheHubIs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, used := pressed(t, Config{})
		publish1(t, h, event("cards/1", "moved", 1))
		if g := h.gauges(); g.Level != nave.LevelNormal || !g.Ready || g.Heap != 0 {
			t.Errorf("before the first look: %+v", g)
		}
		used.Store(990)
		passes(h, time.Minute)
		g := h.gauges()
		if g.Level != nave.LevelOff || g.Ready || g.Heap != 990 || g.HeapBudget != 1000 || g.Age < time.Minute || g.Age > 2*time.Minute {
			t.Errorf("at off: %+v", g)
		}
		if g.Files <= 0 || g.FileLimit < g.Files {
			t.Errorf("%d files are open, of %d", g.Files, g.FileLimit)
		}
	})
}
