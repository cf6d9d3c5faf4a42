package clock

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/history"
	"github.com/navehub/nave/tests/trial"
)

const (
	publishers = 4
	perSecond  = 5 // of each publisher
	followers  = 12
)

// A load is publishers and followers at work on a hub, until it is ended.
type load struct {
	t        *testing.T
	hub      *harness.Process
	record   *history.Record
	patience time.Duration // of one try of a publish
	all      []*follower

	stop context.CancelFunc
	work sync.WaitGroup

	mu        sync.Mutex
	published int
	retried   int
	singles   []single
}

// A single is an event that was acknowledged, to be published once more.
type single struct {
	event   harness.Event
	publish *history.Publish
}

func topicOf(i int) string { return "clock/" + strconv.Itoa(i%publishers) }

func begin(t *testing.T, hub *harness.Process, patience time.Duration) *load {
	t.Helper()
	l := &load{t: t, hub: hub, record: history.New(), patience: patience}
	for i := range followers {
		filters := []string{"clock/*"}
		if i%3 == 1 {
			filters = []string{topicOf(i), topicOf(i + 1)}
		}
		l.all = append(l.all, follow(t, hub, l.record, fmt.Sprintf("follower %d", i), filters...))
	}
	ctx, cancel := context.WithCancel(t.Context())
	l.stop = cancel
	for i := range publishers {
		l.work.Go(func() { l.publishFor(ctx, i) })
	}
	t.Cleanup(func() { cancel(); l.work.Wait() })
	return l
}

// publishFor publishes single events, and every tenth time a batch over three
// topics.
func (l *load) publishFor(ctx context.Context, publisher int) {
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		events := make([]harness.Event, 1, 3)
		if i%10 == 9 {
			events = events[:3]
		}
		for k := range events {
			events[k] = harness.Event{
				Topic: topicOf(publisher + k), Type: "tick", Key: strconv.Itoa(i % 20),
				ID: fmt.Sprintf("%d-%d-%d", publisher, i, k), Source: "clock", Data: i,
			}
		}
		l.publish(ctx, events)
	}
}

// publish tries until the hub says yes. Who has begun is not called off.
func (l *load) publish(ctx context.Context, events []harness.Event) {
	p := l.record.Begin(harness.Sent(events...)...)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	for tries := 1; ; tries++ {
		a, err := l.try(ctx, events)
		if err == nil && a.Status == http.StatusOK {
			p.Acked(a.Offsets())
			l.acked(events, p, tries)
			return
		}
		if ctx.Err() != nil {
			l.t.Errorf("publish %s: %d %s %v", events[0].ID, a.Status, a.Detail, err)
			return
		}
		time.Sleep(20 * time.Millisecond) // before the next try
	}
}

func (l *load) try(ctx context.Context, events []harness.Event) (harness.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	return harness.Publish(ctx, l.hub.URL("/v1/events"), events...)
}

func (l *load) acked(events []harness.Event, p *history.Publish, tries int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.published += len(events)
	l.retried += tries - 1
	if len(events) == 1 {
		l.singles = append(l.singles, single{events[0], p})
	}
}

// count is how many events have been acknowledged, and tries failed.
func (l *load) count() (published, retried int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.published, l.retried
}

// repeat publishes some of the events once more, from the first to the latest. It
// reports how many, and how many of their ids the hub has forgotten.
func (l *load) repeat() (n, forgotten int) {
	const some = 20
	l.mu.Lock()
	all := l.singles[:len(l.singles):len(l.singles)]
	l.mu.Unlock()
	for i := 0; i < len(all); i += max(1, len(all)/some) {
		a := trial.Publish(l.t, l.hub, all[i].event)
		all[i].publish.Acked(a.Offsets())
		n++
		if !a.Repeat {
			forgotten++
		}
	}
	return n, forgotten
}

// end ends the publishers, and waits until everybody has everything.
func (l *load) end() {
	l.t.Helper()
	l.stop()
	l.work.Wait()
	last := l.mark()
	for _, f := range l.all {
		f.reach(l.t, last)
		if err := f.end(); err != nil {
			l.t.Errorf("a follower of %v: %v", f.filters, err)
		}
	}
}

// mark publishes one event to each topic, as one batch, and returns its offset.
func (l *load) mark() uint64 {
	l.t.Helper()
	events := make([]harness.Event, publishers)
	for i := range events {
		events[i] = harness.Event{Topic: topicOf(i), Type: "mark", ID: "mark-" + strconv.Itoa(i), Source: "clock"}
	}
	p := l.record.Begin(harness.Sent(events...)...)
	a := trial.Publish(l.t, l.hub, events...)
	p.Acked(a.Offsets())
	return a.Events[0].Offset
}

// streamsEnded counts the followers whose stream did not last.
func (l *load) streamsEnded() (n int) {
	for _, f := range l.all {
		if f.end() != nil {
			n++
		}
	}
	return n
}
