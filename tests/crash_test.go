package tests

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/tests/harness"
)

var crashFor = flag.Duration("crash.for", time.Minute, "how long TestCrashes publishes and kills; -short makes it ten seconds")

// history is what the publishers were told: where each event went.
type history struct {
	mu      sync.Mutex
	acked   map[string]ack // by event id
	retried int
}

type ack struct {
	topic  string
	offset uint64
}

// 30 subscribers follow 20 topics, 100 events a second are published, and the
// hub is killed with -9 and started again every few seconds. Afterwards, by their
// own records: every subscriber has every acknowledged event that it follows,
// once, and all have them in one and the same order.
func TestCrashes(t *testing.T) {
	length := *crashFor
	if testing.Short() {
		length = 10 * time.Second
	}
	hub := startHub(t)
	const subscribers, topics, publishers, perSecond = 30, 20, 10, 100
	following := subscribeAll(t, hub, subscribers, topics)

	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	record := &history{acked: make(map[string]ack)}
	var work sync.WaitGroup
	for p := range publishers {
		work.Go(func() { publishFor(ctx, t, hub, record, p, topics, perSecond/publishers) })
	}
	kills := killFor(ctx, t, hub)
	work.Wait()

	found := judge(t, hub, record, following)
	received, connects := 0, 0
	for _, s := range following {
		n, _ := s.Connects()
		connects += n
		received += len(s.Seen())
	}
	usage, err := hub.Usage()
	if err != nil {
		t.Fatal(err)
	}
	figure(t, "crashes: %v, %d kills, %d events acknowledged, %d publishes retried, %d subscribers, %d connections, %d deliveries; lost %d, double %d, out of order %d, resets %d; hub RSS %d MB",
		length, kills, len(record.acked), record.retried, subscribers, connects, received,
		found.lost, found.double, found.disorder, found.resets, usage.RSS>>20)
}

func subscribeAll(t *testing.T, hub *harness.Process, subscribers, topics int) []*harness.Subscriber {
	var all []*harness.Subscriber
	for i := range subscribers {
		filters := []string{"crash/**"}
		switch i % 3 {
		case 1:
			filters = []string{"crash/even/*"}
		case 2:
			filters = nil
			for k := range 5 {
				filters = append(filters, topicOf((i+k*3)%topics))
			}
		}
		all = append(all, follow(t, hub, filters...))
	}
	return all
}

func topicOf(i int) string {
	if i%2 == 0 {
		return "crash/even/" + strconv.Itoa(i)
	}
	return "crash/odd/" + strconv.Itoa(i)
}

// publishFor publishes singles, and every tenth time a batch of three over three
// topics, and keeps at each until the hub says yes.
func publishFor(ctx context.Context, t *testing.T, hub *harness.Process, record *history, p, topics, perSecond int) {
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n := 1
		if i%10 == 9 {
			n = 3
		}
		var events []harness.Event
		for k := range n {
			events = append(events, harness.Event{
				Topic: topicOf((p + i + k*7) % topics), Type: "tick", Key: strconv.Itoa(i % 50),
				ID: fmt.Sprintf("%d-%d-%d", p, i, k), Source: "crash", Data: i,
			})
		}
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		a, tries, err := harness.PublishSurely(patience, hub.URL("/v1/events"), events...)
		cancel()
		if err != nil || a.Status != 200 {
			t.Errorf("publish %s: %d %s %v", events[0].ID, a.Status, a.Detail, err)
			return
		}
		record.mu.Lock()
		record.retried += tries - 1
		for k, e := range events {
			record.acked[e.ID] = ack{e.Topic, a.Events[k].Offset}
		}
		record.mu.Unlock()
	}
}

func killFor(ctx context.Context, t *testing.T, hub *harness.Process) (kills int) {
	for {
		select {
		case <-ctx.Done():
			return kills
		case <-time.After(time.Second + rand.N(3*time.Second)):
		}
		if err := hub.Kill(); err != nil {
			t.Errorf("kill: %v", err)
		}
		kills++
		begin(t, hub)
	}
}

// findings are what went wrong.
type findings struct{ lost, double, disorder, resets int }

// judge compares what the subscribers saw with what the publishers were told.
func judge(t *testing.T, hub *harness.Process, record *history, following []*harness.Subscriber) (found findings) {
	t.Helper()
	mark := publish(t, hub, marks(20)...) // one for everybody's last event
	end := mark.Events[len(mark.Events)-1].Offset
	at := make(map[uint64]string)
	for id, a := range record.acked {
		if other, taken := at[a.offset]; taken {
			t.Errorf("offset %d was given to %s and to %s", a.offset, other, id)
		}
		at[a.offset] = id
	}
	for i, s := range following {
		done := func(s *harness.Subscriber) bool {
			seen := s.Seen()
			return len(seen) > 0 && seen[len(seen)-1].Type == "mark" && seen[len(seen)-1].Offset+20 > end
		}
		if err := s.Wait(soon(t), done); err != nil {
			t.Errorf("subscriber %d does not catch up: %v", i, err)
		}
		judgeOne(t, i, s, record, at, &found)
	}
	return found
}

func marks(topics int) (all []harness.Event) {
	for i := range topics {
		all = append(all, harness.Event{Topic: topicOf(i), Type: "mark"})
	}
	return all
}

func judgeOne(t *testing.T, i int, s *harness.Subscriber, record *history, at map[uint64]string, found *findings) {
	t.Helper()
	filters, err := nave.ParseFilters(s.Filters)
	if err != nil {
		t.Fatal(err)
	}
	if v := s.Verdicts(); slices.ContainsFunc(v[1:], func(s string) bool { return s != "recovered" }) {
		found.resets++
		t.Errorf("subscriber %d was told %v", i, v)
	}
	saw := make(map[string]bool)
	last := uint64(0)
	for _, e := range s.Seen() {
		if e.Offset <= last {
			found.disorder++
			t.Errorf("subscriber %d: offset %d comes after %d", i, e.Offset, last)
		}
		last = e.Offset
		if e.Type == "mark" {
			continue
		}
		if saw[e.ID] {
			found.double++
			t.Errorf("subscriber %d saw %s twice", i, e.ID)
		}
		saw[e.ID] = true
		if at[e.Offset] != e.ID {
			t.Errorf("subscriber %d saw %s at %d, where its publisher was told of %q", i, e.ID, e.Offset, at[e.Offset])
		}
	}
	for id, a := range record.acked {
		if filters.Match(nave.Topic(a.topic)) && !saw[id] {
			found.lost++
			t.Errorf("subscriber %d: %s at %d is acknowledged and was never seen", i, id, a.offset)
		}
	}
}
