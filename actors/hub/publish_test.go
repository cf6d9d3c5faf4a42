package hub

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
)

func TestFirstWriterWinsAndTheOtherIsTold(t *testing.T) {
	h := start(t, Config{})
	version := func(n uint64) *uint64 { return &n }
	card := func(v *uint64, data any) nave.Event {
		e := event("cards/1", "moved", data)
		e.Key, e.IfVersion = "card-42", v
		return e
	}
	first := publish1(t, h, card(version(0), "first"))
	_, err := h.Publish(t.Context(), card(version(0), "second"))
	var conflict *nave.ConflictError
	if !errors.As(err, &conflict) {
		t.Fatalf("the second writer hears %v, want a conflict", err)
	}
	c := conflict.Conflicts[0]
	if c.Version != first.Events[0].Version || c.Event == nil || string(c.Event.Data) != `"first"` {
		t.Errorf("conflict = %+v, want version %d and the first event", c, first.Events[0].Version)
	}
	if second := publish1(t, h, card(&c.Version, "rebased")); second.Events[0].Version <= c.Version {
		t.Errorf("rebased version = %d", second.Events[0].Version)
	}
}

func TestRepeatIsAnsweredAsTheFirstAndNotDelivered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		s := connectTo(t, h, "", "**")
		synctest.Wait()
		e := event("cards/1", "moved", 1)
		e.ID, e.Source = "1", "app"
		first := publish1(t, h, e)
		publish1(t, h, event("cards/1", "moved", 2))
		again := publish1(t, h, e)
		if !again.Repeat || again.Cursor != first.Cursor || !slices.Equal(again.Events, first.Events) {
			t.Errorf("repeat = %+v, first = %+v", again, first)
		}
		synctest.Wait()
		if err := rising(s.offsets(t), 1, 2); err != nil || h.Head() != 2 {
			t.Errorf("%v; the head is %d", err, h.Head())
		}
	})
}

func TestBatchIsAsDurableAsItsMostDurableEvent(t *testing.T) {
	h := start(t, Config{Topics: []TopicRule{{Filter: "ui/**", Durability: nave.Transient}}})
	p := publish1(t, h, event("ui/click", "clicked", 1), event("cards/1", "moved", 2))
	if p.Events[0].Offset == 0 || p.Events[1].Offset != p.Events[0].Offset+1 {
		t.Errorf("placed = %+v, want two offsets in a row", p.Events)
	}
}

// An event that is published on, as an extension may do, has no place from its
// first life: a stale cursor would break its readers'.
func TestEventThatIsPublishedOnGetsAPlaceOfItsOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Topics: []TopicRule{{Filter: "ui/**", Durability: nave.Transient}}})
		s := connectTo(t, h, "", "**")
		synctest.Wait()
		e := event("ui/1", "clicked", 1)
		e.Offset, e.Batch = 4711, nave.Position{I: 1, N: 3}
		publish1(t, h, e)
		e.Topic = "cards/1"
		publish1(t, h, e)
		synctest.Wait()
		if got := s.offsets(t); !slices.Equal(got, []uint64{0, 1}) {
			t.Errorf("offsets = %v, want none and the first", got)
		}
	})
}

func TestTheDataOfABatchIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Limits: Limits{BatchBytes: 10}})
		one := func(data string) nave.Event {
			return nave.Event{Topic: "cards/1", Type: "moved", Key: strings.Repeat("k", 100), Data: []byte(data)}
		}
		if _, err := h.Publish(t.Context(), one(" 12345 "), one("12345")); err != nil {
			t.Errorf("10 bytes of data: %v", err)
		}
		_, err := h.Publish(t.Context(), one("12345"), one("123456"))
		if nave.CodeOf(err) != nave.CodeTooLarge || !strings.Contains(err.Error(), "11 bytes long; at most 10") {
			t.Errorf("11 bytes of data: %v", err)
		}
	})
}

// Whatever a batch may be, there is room for it.
func TestLargestBatchIsAccepted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Limits: Limits{EventBytes: 20 << 20, BatchBytes: 20 << 20, Batch: 10_000}})
		data := []byte(`"` + strings.Repeat("x", 20<<20-2) + `"`)
		small := make([]nave.Event, 10_000)
		for i := range small {
			small[i] = nave.Event{Topic: "cards/1", Type: "moved", Key: strings.Repeat("k", nave.MaxKeyBytes), Source: strings.Repeat("s", nave.MaxSourceBytes)}
		}
		for name, batch := range map[string][]nave.Event{"of one event": {{Topic: "cards/1", Type: "moved", Data: data}}, "of many": small} {
			if _, err := h.Publish(t.Context(), batch...); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestRateLimitOfATopicIsItsPublishersOnly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Topics: []TopicRule{{Filter: "busy/*", Durability: nave.Memory, Rate: 10, Burst: 10}}})
		for range 10 {
			publish1(t, h, event("busy/1", "x", 1))
		}
		// Nothing of a batch is taken if one of its topics is over its limit.
		_, err := h.Publish(t.Context(), event("busy/2", "x", 1), event("busy/1", "x", 1))
		var refused *nave.Error
		if !errors.As(err, &refused) || refused.Code != nave.CodeBusy || refused.RetryAfter <= 0 {
			t.Errorf("over the limit: %v, want busy with a time to try again", err)
		}
		for range 10 {
			publish1(t, h, event("busy/2", "x", 1))
		}
		time.Sleep(100 * time.Millisecond)
		publish1(t, h, event("busy/1", "x", 1))
		eleven := make([]nave.Event, 11)
		for i := range eleven {
			eleven[i] = event("busy/3", "x", i)
		}
		if _, err := h.Publish(t.Context(), eleven...); nave.CodeOf(err) != nave.CodeTooMany {
			t.Errorf("a batch over the burst: %v, want too-many", err)
		}
	})
}

// A blockedLog syncs only while its gate is open.
type blockedLog struct {
	eventlog.Log
	gate *sync.RWMutex
}

func (l blockedLog) Append(ctx context.Context, group []eventlog.Batch) ([]eventlog.Outcome, error) {
	l.gate.RLock()
	defer l.gate.RUnlock()
	return l.Log.Append(ctx, group)
}

func TestFloodedTopicRefusesItsOwnPublishersAndNobodyElses(t *testing.T) {
	var gate sync.RWMutex
	log := memlog.Open(eventlog.Options{})
	h := startOn(t, Config{Limits: Limits{JournalBytes: 64 << 10}}, func(context.Context) (eventlog.Log, error) {
		return blockedLog{log, &gate}, nil
	})
	gate.Lock() // the disk hangs
	var publishers sync.WaitGroup
	refused := make(chan error, 10_000)
	flood := func() {
		defer publishers.Done()
		if _, err := h.Publish(t.Context(), event("flooded/1", "x", 1)); err != nil {
			refused <- err
		}
	}
	for range 3000 {
		publishers.Add(1)
		go flood()
	}
	err := <-refused
	if nave.CodeOf(err) != nave.CodeBusy {
		t.Errorf("the flooded topic answers %v, want busy", err)
	}
	others := make(chan error, 20)
	for range cap(others) {
		publishers.Go(func() {
			_, err := h.Publish(t.Context(), event("quiet/1", "x", 1))
			others <- err
		})
	}
	gate.Unlock() // the disk is well again
	for range cap(others) {
		if err := <-others; err != nil {
			t.Errorf("another topic's publisher hears %v", err)
		}
	}
	publishers.Wait()
	publish1(t, h, event("flooded/1", "x", 1))
}

func TestShutdownCommitsWhatWasAcceptedAndSaysBye(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := memlog.Open(eventlog.Options{})
		h := startOn(t, Config{}, func(context.Context) (eventlog.Log, error) { return log, nil })
		s := connectTo(t, h, "", "**")
		synctest.Wait()
		accepted := make(chan uint64, 100)
		for range cap(accepted) {
			go func() {
				p, err := h.Publish(t.Context(), event("cards/1", "moved", 1))
				if err == nil {
					accepted <- p.Events[0].Offset
				} else if nave.CodeOf(err) != nave.CodeDraining {
					t.Errorf("Publish: %v", err)
				}
			}()
		}
		publish1(t, h, event("cards/1", "moved", 2))
		if err := h.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		synctest.Wait()
		events := s.events(t)
		last := events[len(events)-1]
		if last.Name != "hub.bye" || last.Retry < 2*time.Second || !s.isClosed() {
			t.Errorf("the last event is %s with retry %v, closed %v; want hub.bye", last.Name, last.Retry, s.isClosed())
		}
		close(accepted)
		for offset := range accepted {
			if offset > log.Head() {
				t.Errorf("event %d was accepted and is not in the log", offset)
			}
		}
		if err := h.Ready(); err == nil {
			t.Error("ready after Shutdown")
		}
		if _, err := h.Publish(t.Context(), event("cards/1", "moved", 1)); nave.CodeOf(err) != nave.CodeDraining {
			t.Errorf("Publish after Shutdown: %v, want draining", err)
		}
	})
}

// That there are as many topics as there may be is not the hub's being overloaded, which
// would be a reason to give things up for everybody.
func TestFullTopicsAreBusy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Limits: Limits{Topics: 1}})
		publish1(t, h, event("cards/1", "moved", 1))
		if _, err := h.Publish(t.Context(), event("cards/2", "moved", 1)); nave.CodeOf(err) != nave.CodeBusy {
			t.Errorf("one topic too many: %v", err)
		}
		publish1(t, h, event("cards/1", "moved", 1))
	})
}
