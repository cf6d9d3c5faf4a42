package hub_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/history"
)

// The topics of a load, by durability.
var (
	durableTopics   = topicNames("cards", 8)
	memoryTopics    = topicNames("session", 4)
	transientTopics = topicNames("ui", 2)
)

func topicNames(segment string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("%s/%d", segment, i))
	}
	return all
}

// A load is publishers and subscribers of a target, and what they wrote down.
type load struct {
	*target
	record    *history.Record
	following []*follower

	publishing sync.WaitGroup
	published  atomic.Int64
	hurry      context.CancelFunc // ends the publishers, once they have their answers
	trying     context.Context
	giveUp     context.CancelFunc // ends them without
	staying    context.Context
	leave      context.CancelFunc // ends the subscribers
	leaving    sync.WaitGroup

	mu    sync.Mutex
	acked map[string]uint64 // offsets of durable events, by id
}

// A follower is a subscriber that follows to the end. A restless one leaves and
// comes back by itself.
type follower struct {
	*harness.Subscriber
	restless bool
	calm     <-chan struct{} // closed when it has to stay
	due      int32           // marks that it has to see
	marks    atomic.Int32
	cut      atomic.Int32 // streams that the hub ended
}

// A mark is the last event of each topic that has offsets.
const markType = "mark"

var marked = slices.Concat(durableTopics, memoryTopics)

// startLoad starts the subscribers, and when all of them have had their verdict,
// the publishers. They end by themselves only when stop is called.
func startLoad(g *target, seed uint64, publishers, subscribers int) *load {
	g.t.Helper()
	l := &load{target: g, record: history.New(), acked: make(map[string]uint64)}
	var publish context.Context
	publish, l.hurry = context.WithCancel(context.Background())
	l.trying, l.giveUp = context.WithCancel(context.Background())
	l.staying, l.leave = context.WithCancel(context.Background())
	for i := range subscribers {
		f := l.follower(i, publish.Done())
		l.leaving.Go(func() { f.follow(l.staying, rand.New(rand.NewPCG(seed, uint64(1000+i)))) })
	}
	l.wait("the verdict", func(f *follower) bool { return len(f.Verdicts()) > 0 })
	for i := range publishers {
		l.publishing.Go(func() { l.publish(publish, i, rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	return l
}

func (l *load) follower(i int, calm <-chan struct{}) *follower {
	f := &follower{Subscriber: l.subscriber(filtersOf(i)...), restless: i%4 == 3, calm: calm}
	f.Each = func(e harness.Seen) {
		if e.Type == markType {
			f.marks.Add(1)
		}
	}
	filters := parse(l.t, f.Filters)
	for _, topic := range marked {
		if filters.Match(nave.Topic(topic)) {
			f.due++
		}
	}
	f.Notes = l.record.Subscriber(fmt.Sprintf("subscriber %d of %v", i, f.Filters), filters)
	l.following = append(l.following, f)
	return f
}

// follow lets one more subscriber follow until the end.
func (l *load) follow(s *harness.Subscriber) { l.leaving.Go(func() { s.Follow(l.staying) }) }

func parse(t *testing.T, filters []string) nave.Filters {
	parsed, err := nave.ParseFilters(filters)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func filtersOf(i int) []string {
	switch i % 4 {
	case 0:
		return []string{"cards/**", "session/*", "ui/*"}
	case 1:
		return []string{"cards/*"}
	case 2:
		return []string{durableTopics[i%len(durableTopics)], memoryTopics[i%len(memoryTopics)], "ui/0"}
	}
	return []string{"*/*"}
}

// follow comes back after each end of its stream.
func (f *follower) follow(ctx context.Context, rng *rand.Rand) {
	for ctx.Err() == nil {
		f.connect(ctx, rng)
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (f *follower) connect(ctx context.Context, rng *rand.Rand) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if f.restless && !f.isCalm() {
		leave := time.AfterFunc(time.Duration(100+rng.IntN(1500))*time.Millisecond, cancel)
		defer leave.Stop()
	}
	before, _ := f.Connects()
	_ = f.Connect(ctx) // however it ended, it is tried again
	if after, _ := f.Connects(); after > before && ctx.Err() == nil {
		f.cut.Add(1)
	}
}

func (f *follower) isCalm() bool {
	select {
	case <-f.calm:
		return true
	default:
		return false
	}
}

// publish publishes at its pace, and keeps at each batch until there is an answer.
func (l *load) publish(ctx context.Context, p int, rng *rand.Rand) {
	version := uint64(0) // of a key that it shares with another publisher
	for i := 0; ctx.Err() == nil; i++ {
		events := l.batch(p, i, rng)
		if i%8 == 7 {
			known := version
			events[0].Topic, events[0].Key, events[0].IfVersion = durableTopics[1], fmt.Sprintf("shared-%d", p/2), &known
		}
		a, ok := l.send(events)
		if !ok {
			return
		}
		switch {
		case a.Status == http.StatusOK && i%8 == 7:
			version = a.Events[0].Version
		case len(a.Conflicts) == 1:
			version = a.Conflicts[0].Version
		}
		l.published.Add(1)
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(5+rng.IntN(30)) * time.Millisecond):
		}
	}
}

func (l *load) batch(p, i int, rng *rand.Rand) (events []harness.Event) {
	n := 1
	if rng.IntN(5) == 0 {
		n = 2 + rng.IntN(4)
	}
	topics := durableTopics
	switch rng.IntN(8) {
	case 0, 1:
		topics = memoryTopics
	case 2:
		topics = transientTopics
	}
	for k := range n {
		events = append(events, harness.Event{
			Topic: topics[rng.IntN(len(topics))], Type: "tick", ID: fmt.Sprintf("%d-%d-%d", p, i, k), Source: "chaos",
			Data: strings.Repeat("x", rng.IntN(1500)),
		})
	}
	return events
}

// send keeps at a batch until it is answered for good, and now and then sends it
// once more, to hear the same.
func (l *load) send(events []harness.Event) (harness.Answer, bool) {
	ctx, cancel := context.WithTimeout(l.trying, time.Minute)
	defer cancel()
	sent := l.record.Begin(harness.Sent(events...)...)
	var a harness.Answer
	for again := len(events[0].ID)%5 == 0; ; again = false {
		var err error
		if a, _, err = harness.PublishSurely(ctx, l.url("/v1/events"), events...); err != nil {
			if l.trying.Err() == nil {
				l.t.Errorf("%s is not answered: %v", events[0].ID, err)
			}
			return a, false
		}
		a.Note(sent)
		l.note(events, a)
		if !again || a.Status != http.StatusOK || a.Events[0].Offset == 0 {
			return a, true
		}
	}
}

func (l *load) note(events []harness.Event, a harness.Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range a.Events {
		if strings.HasPrefix(events[i].Topic, "cards/") {
			l.acked[events[i].ID] = a.Events[i].Offset
		}
	}
}

// calm ends the publishers and waits until every subscriber has everything.
func (l *load) calm() {
	l.t.Helper()
	l.hurry()
	l.publishing.Wait()
	for _, topic := range marked {
		l.send([]harness.Event{{Topic: topic, Type: markType, ID: "mark-" + topic, Source: "chaos"}})
	}
	l.wait("all marks", func(f *follower) bool { return f.marks.Load() >= f.due })
}

// wait waits until something holds of every subscriber.
func (l *load) wait(what string, done func(*follower) bool) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.staying, 30*time.Second)
	defer cancel()
	for i, f := range l.following {
		if err := f.Wait(ctx, func(*harness.Subscriber) bool { return done(f) }); err != nil {
			l.t.Errorf("subscriber %d waits for %s: %v", i, what, err)
		}
	}
}

// end ends the subscribers too.
func (l *load) end() {
	l.hurry()
	l.giveUp()
	l.publishing.Wait()
	l.leave()
	l.leaving.Wait()
}
