package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
	"github.com/navehub/nave/supervision"
)

// tooOften is more than any kind may fail within its window.
const tooOften = 12

// gaveUp checks what must hold of a hub whose supervision could not contain a
// failure: it says so, and answers every publisher. Its end is then checked by
// whoever started it.
func gaveUp(t *testing.T, h *Hub, kind supervision.Kind, publishes bool) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-h.Failed():
		if !strings.Contains(err.Error(), strings.TrimSuffix(string(kind), "er")) { // dispatch-0 is a dispatcher
			t.Errorf("Failed says %v, want the %s", err, kind)
		}
	default:
		t.Errorf("Failed says nothing of the %s", kind)
	}
	if err := h.Ready(); err == nil || !strings.HasPrefix(err.Error(), healthTree+": ") {
		t.Errorf("Ready = %v, want the reason %s", err, healthTree)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	begin := time.Now()
	for _, topic := range []string{"cards/1", "cards/new"} {
		_, err := h.Publish(ctx, event(topic, "moved", "after"))
		if publishes && err != nil || !publishes && nave.CodeOf(err) != nave.CodeUnavailable {
			t.Errorf("a publish to %s is answered with %v", topic, err)
		}
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("the publishers wait %v for it", took)
	}
}

func topicsPanic(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		s := connectTo(t, h, "", "**")
		synctest.Wait()
		publish1(t, h, event("cards/1", "moved", 1))
		before := h.topics.find("cards/1")
		for range supervision.PolicyOf(supervision.Topics).Max {
			if !h.FailTopics(t.Context()) {
				t.Error("the caller does not hear of the panic")
			}
		}
		publish1(t, h, event("cards/1", "moved", 2))
		publish1(t, h, event("cards/2", "moved", 3))
		synctest.Wait()
		if h.topics.find("cards/1") != before {
			t.Error("a topic has been replaced")
		}
		if err := rising(s.offsets(t), 1, 3); err != nil {
			t.Error(err)
		}
		if err := h.Ready(); err != nil {
			t.Errorf("Ready: %v", err)
		}
	})
}

// parentKeepsPanicking is for the kinds that escalate while they can be asked.
func parentKeepsPanicking(kind supervision.Kind, publishes bool, fail func(*Hub) bool) func(*testing.T) {
	return func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			h := start(t, Config{})
			s := connectTo(t, h, "", "**")
			synctest.Wait()
			publish1(t, h, event("cards/1", "moved", 1))
			for range tooOften {
				fail(h)
				time.Sleep(time.Second)
			}
			gaveUp(t, h, kind, publishes)
			if got := s.offsets(t); len(got) == 0 || got[0] != 1 {
				t.Errorf("a client saw %v before, want 1 first", got)
			}
		})
	}
}

func failDispatcher(h *Hub) bool { return h.FailDispatcher(0) }
func failTopics(h *Hub) bool     { return h.FailTopics(context.Background()) }
func failClients(h *Hub) bool    { return h.FailClients(context.Background()) }

// An untrimmed log panics when retention is applied to it, as often as it is told.
type untrimmed struct {
	eventlog.Log
	times *atomic.Int64
	trims *atomic.Int64
}

func (l untrimmed) Trim(ctx context.Context, now time.Time) error {
	if l.times.Add(-1) >= 0 {
		panic("trim")
	}
	l.trims.Add(1)
	return l.Log.Trim(ctx, now)
}

func startUntrimmed(t *testing.T, times int64) (*Hub, untrimmed) {
	log := untrimmed{memlog.Open(eventlog.Options{}), new(atomic.Int64), new(atomic.Int64)}
	log.times.Store(times)
	return startOn(t, Config{}, func(context.Context) (eventlog.Log, error) { return log, nil }), log
}

func retentionPanics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, log := startUntrimmed(t, 3)
		time.Sleep(time.Minute)
		if n := log.trims.Load(); n < 2 {
			t.Errorf("retention was applied %d times after it had failed, want it every %v", n, trimEvery)
		}
		publish1(t, h, event("cards/1", "moved", 1))
		if err := h.Ready(); err != nil {
			t.Errorf("Ready: %v", err)
		}
	})
}

func retentionKeepsPanicking(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, _ := startUntrimmed(t, 100)
		publish1(t, h, event("cards/1", "moved", 1))
		time.Sleep(supervision.PolicyOf(supervision.Retention).Within)
		gaveUp(t, h, supervision.Retention, true)
	})
}

// startFragile runs a hub with a root that can fail.
func startFragile(t *testing.T) (*Hub, Fragile) {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := New(Config{Logger: logger}, memlog.Opener(eventlog.Options{}))
	root, err := h.StartFragile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		time.Sleep(time.Microsecond) // fake: lets the goroutine of protoactor's dead letters end
	})
	return h, root
}

func rootPanics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, root := startFragile(t)
		s := connectTo(t, h, "", "**")
		synctest.Wait()
		publish1(t, h, event("cards/1", "moved", 1))
		before := h.topics.find("cards/1")
		for range supervision.PolicyOf(supervision.Hub).Max {
			root.Fail()
			synctest.Wait()
		}
		publish1(t, h, event("cards/1", "moved", 2))
		synctest.Wait()
		if err := rising(s.offsets(t), 1, 2); err != nil || s.isClosed() {
			t.Errorf("%v; closed: %v", err, s.isClosed())
		}
		for kind, k := range h.Stats() {
			if k.Restarts > 0 {
				t.Errorf("the %s has been restarted", kind)
			}
		}
		if h.topics.find("cards/1") != before {
			t.Error("a topic has been replaced")
		}
		if err := h.Ready(); err != nil {
			t.Errorf("Ready: %v", err)
		}
	})
}

func rootKeepsPanicking(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, root := startFragile(t)
		s := connectTo(t, h, "", "**")
		synctest.Wait()
		publish1(t, h, event("cards/1", "moved", 1))
		for range tooOften {
			root.Fail()
			synctest.Wait()
		}
		gaveUp(t, h, supervision.Hub, false)
		if !s.isClosed() {
			t.Error("a stream is left open without a hub")
		}
	})
}

func extensionsPanic(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		r := &recorder{}
		made := 0
		parent, err := h.SpawnExtensions(func() {}, Extension{
			Name: "recorder", Filters: nave.Filters{"cards/*"},
			New: func(Publisher) Handler { made++; return r },
		})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for i := range supervision.PolicyOf(supervision.Extensions).Max {
			publish1(t, h, event("cards/1", "moved", i))
			parent.Fail()
			synctest.Wait()
		}
		if got, want := r.data(), strings.Split("0123456789", ""); !slices.Equal(got, want) || made != 1 {
			t.Errorf("handled %v by %d handlers, want %v by one", got, made, want)
		}
	})
}

// An incarnation that fails before it has begun cannot be resumed: its children
// end with it, and go on where they were.
func extensionsPanicAtTheirStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		r := &recorder{}
		begun, made := 0, 0
		_, err := h.SpawnExtensions(func() {
			if begun++; begun < 3 {
				panic("not yet")
			}
		}, Extension{
			Name: "recorder", Filters: nave.Filters{"cards/*"},
			New: func(Publisher) Handler { made++; return r },
		})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for i := range 10 {
			publish1(t, h, event("cards/1", "moved", i))
			want = append(want, fmt.Sprint(i))
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		if got := firsts(r.data()); !slices.Equal(got, want) || begun != 3 || made > 3 {
			t.Errorf("handled %v in %d starts by %d handlers, want %v", r.data(), begun, made, want)
		}
		if n := h.Stats()[supervision.Extension].Active; n != 1 {
			t.Errorf("%d extensions live, want one", n)
		}
	})
}

// firsts leaves out what has come before: the last events before a restart may be
// handled again.
func firsts(all []string) (first []string) {
	for _, e := range all {
		if !slices.Contains(first, e) {
			first = append(first, e)
		}
	}
	return first
}

func extensionsKeepPanicking(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		parent, err := h.SpawnExtensions(func() {})
		if err != nil {
			t.Fatal(err)
		}
		for range tooOften {
			parent.Fail()
			synctest.Wait()
		}
		gaveUp(t, h, supervision.Extensions, true)
	})
}

// A journal that ends for good leaves nobody waiting: neither those whose commits
// it holds, nor those who wait for room in its share of their topic.
func TestJournalThatEndsAnswersEverybody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		open, fail := faulty()
		h := startOn(t, Config{Limits: Limits{JournalBytes: 8 << 10}}, open) // a topic's share is 1 KiB
		publish1(t, h, event("cards/1", "moved", 0))
		for range supervision.PolicyOf(supervision.Journal).Max {
			fail(func() error { panic("journal") })
			_, _ = h.Publish(t.Context(), event("cards/1", "moved", 1))
			time.Sleep(6 * time.Second)
		}
		fail(func() error { time.Sleep(time.Second); panic("journal") }) // while others gather
		const publishers = 20
		answers := make(chan error, publishers)
		for range publishers {
			go func() {
				_, err := h.Publish(t.Context(), event("cards/1", "moved", strings.Repeat("x", 300)))
				answers <- err
			}()
			synctest.Wait()
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := len(answers); n != publishers {
			t.Errorf("%d of %d publishers have been answered", n, publishers)
		}
		for len(answers) > 0 {
			if err := <-answers; nave.CodeOf(err) != nave.CodeUnavailable {
				t.Errorf("a publisher hears %v", err)
			}
		}
		gaveUp(t, h, supervision.Journal, false)
		if err := h.Unbalanced(); err != nil {
			t.Error(err)
		}
	})
}

// A partial log cannot read what is still there of what an extension follows, as
// often as it is told.
type partial struct {
	forgetful
	times *atomic.Int64
}

func (l partial) Read(ctx context.Context, after uint64, filters nave.Filters, limit eventlog.Limit) (eventlog.Page, error) {
	if !filters.Match("session/1") && filters.Match("cards/1") && l.times.Add(-1) >= 0 {
		return eventlog.Page{}, errors.New("cannot be read")
	}
	return l.forgetful.Read(ctx, after, filters, limit)
}

// Events that an extension has missed are passed over; those that cannot be read
// just now are not.
func extensionCannotReadWhatIsLeft(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := memlog.Open(eventlog.Options{})
		times := new(atomic.Int64)
		opened := func(before uint64) eventlog.Opener {
			return func(context.Context) (eventlog.Log, error) { return partial{forgetful{log, before}, times}, nil }
		}
		r := &recorder{}
		config := Config{Extensions: []Extension{{
			Name: "recorder", Filters: nave.Filters{"session/*", "cards/*"}, New: func(Publisher) Handler { return r },
		}}}
		first := startOn(t, config, opened(0))
		synctest.Wait()
		end(t, first)
		without := startOn(t, Config{}, opened(0))
		publish1(t, without, event("session/1", "idle", "lost"))
		publish1(t, without, event("cards/1", "moved", 1))
		end(t, without)

		times.Store(3)
		again := startOn(t, config, opened(log.Head()))
		synctest.Wait()
		if n := len(r.data()); n > 0 {
			t.Errorf("%d events were handled before they could be read", n)
		}
		time.Sleep(time.Minute)
		publish1(t, again, event("cards/1", "moved", 2))
		synctest.Wait()
		if got, want := r.data(), []string{"1", "2"}; !slices.Equal(got, want) {
			t.Errorf("handled %v, want %v", got, want)
		}
		if n := again.Stats()[supervision.Extension].Restarts; n != 3 {
			t.Errorf("%d restarts, want 3", n)
		}
	})
}
