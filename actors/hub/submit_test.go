package hub

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
)

// startBlocked starts a hub whose log commits only while the gate is open, with a
// small share of the journal for every topic.
func startBlocked(t *testing.T) (*Hub, *sync.RWMutex) {
	t.Helper()
	gate, log := new(sync.RWMutex), memlog.Open(eventlog.Options{})
	return startOn(t, Config{Limits: Limits{JournalBytes: 64 << 10}}, func(context.Context) (eventlog.Log, error) {
		return blockedLog{log, gate}, nil
	}), gate
}

func submit1(t *testing.T, h *Hub, topic string, i int) *Pending {
	t.Helper()
	p, err := h.Submit(t.Context(), event(topic, "x", i))
	if err != nil {
		t.Fatalf("Submit to %s: %v", topic, err)
	}
	return p
}

func TestSubmitDoesNotWaitForTheCommit(t *testing.T) {
	h, gate := startBlocked(t)
	gate.Lock() // the disk hangs
	first, second := submit1(t, h, "a/1", 1), submit1(t, h, "b/1", 2)
	if first.Answered() || second.Answered() {
		t.Error("answered before the commit")
	}
	gate.Unlock()
	for i, p := range []*Pending{first, second} {
		got, err := p.Wait(t.Context())
		if err != nil || got.Events[0].Offset != uint64(i+1) || !p.Answered() {
			t.Errorf("submission %d = %+v, %v", i, got, err)
		}
	}
}

// A topic that holds its mailbox, since others flood it, is not overtaken by the
// same publisher's events for another topic.
func TestSubmitKeepsTheOrderAcrossTopics(t *testing.T) {
	h, gate := startBlocked(t)
	gate.Lock() // the disk hangs
	var flood, publisher sync.WaitGroup
	for range 8 {
		flood.Go(func() {
			for range 200 {
				_, _ = h.Publish(t.Context(), event("flooded/1", "x", 1)) // may be busy
			}
		})
	}
	const n = 400
	pending := make(chan *Pending, n)
	publisher.Go(func() {
		defer close(pending)
		for i := range n {
			topic := "quiet/1"
			if i%3 > 0 {
				topic = "flooded/1"
			}
			p, err := h.Submit(t.Context(), event(topic, "x", i))
			if err != nil {
				t.Errorf("Submit %d: %v", i, err)
				return
			}
			pending <- p
		}
	})
	time.Sleep(time.Millisecond) // lets the flooded topic hold; true also without
	gate.Unlock()
	last := uint64(0)
	for p := range pending {
		got, err := p.Wait(t.Context())
		if err != nil {
			t.Errorf("Wait: %v", err)
			continue
		}
		if offset := got.Events[0].Offset; offset <= last {
			t.Fatalf("offset %d comes after %d", offset, last)
		}
		last = got.Events[0].Offset
	}
	publisher.Wait()
	flood.Wait()
}

// Whoever has submitted and is gone keeps nobody: what he submitted is committed.
func TestShutdownCommitsWhatNobodyWaitsFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := memlog.Open(eventlog.Options{})
		h := startOn(t, Config{}, func(context.Context) (eventlog.Log, error) { return log, nil })
		for i := range 10 {
			submit1(t, h, "a/1", i)
		}
		if err := h.Shutdown(t.Context()); err != nil || log.Head() != 10 {
			t.Errorf("Shutdown: %v; the head is %d", err, log.Head())
		}
		if _, err := h.Submit(t.Context(), event("a/1", "x", 1)); nave.CodeOf(err) != nave.CodeDraining {
			t.Errorf("Submit after Shutdown: %v", err)
		}
	})
}

func TestSubmitIsGivenUpAndMayBeStored(t *testing.T) {
	h, gate := startBlocked(t)
	gate.Lock() // the disk hangs
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	n := 0
	for ; n < 10_000; n++ { // until the topic holds
		_, err := h.Submit(ctx, event("a/1", "x", n))
		if err == nil {
			continue
		}
		if nave.CodeOf(err) != nave.CodeUnavailable || !errors.Is(err, context.Canceled) {
			t.Errorf("Submit: %v", err)
		}
		break
	}
	gate.Unlock()
	if err := h.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if head := int(h.Head()); head != n && head != n+1 {
		t.Errorf("the head is %d after %d submissions and one that was given up", head, n)
	}
}

func TestSubmitFindsATopicThatHasLeft(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		publish1(t, h, event("a/1", "x", 1))
		left := h.topics.find("a/1")
		left.ref.Stop()
		synctest.Wait()
		for i := range 3 {
			got, err := submit1(t, h, "a/1", i).Wait(t.Context())
			if err != nil || got.Events[0].Offset != uint64(i+2) {
				t.Errorf("submission %d = %+v, %v", i, got, err)
			}
		}
		if h.topics.find("a/1") == left {
			t.Error("the topic has not been spawned anew")
		}
	})
}
