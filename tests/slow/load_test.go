//go:build linux

package slow

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
)

// published is an event as its publisher was told.
type published struct {
	offset uint64
	n      int
	small  bool // of a topic that the healthy clients follow
}

// A load publishes at fixed times, whatever the hub does meanwhile, and keeps what
// the hub has acknowledged: the complete list that every client is judged by.
type load struct {
	t     testing.TB
	hub   *harness.Process
	start time.Time // from which the times in events count

	n      atomic.Int64
	mu     sync.Mutex
	events []published
}

// A kind is what is published to one kind of topic.
type kind struct {
	prefix string // of its topics
	topics int
	rate   int // publishes a second
	size   int // of the data of an event
	batch  int // events published together
}

const bulkTopic, smallTopic = "bulk/", "board/"

// during publishes for so long, and returns when everything is acknowledged.
func (l *load) during(d time.Duration, kinds ...kind) {
	ctx, cancel := context.WithTimeout(l.t.Context(), d)
	defer cancel()
	l.until(ctx, kinds...)
}

// until publishes until ctx ends.
func (l *load) until(ctx context.Context, kinds ...kind) {
	var all sync.WaitGroup
	for _, k := range kinds {
		all.Go(func() { l.publish(ctx, k) })
	}
	all.Wait()
}

func (l *load) publish(ctx context.Context, k kind) {
	var inFlight sync.WaitGroup
	defer inFlight.Wait()
	begin := time.Now()
	for i := 0; ; i++ {
		due := begin.Add(time.Duration(i) * time.Second / time.Duration(k.rate))
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(due)):
		}
		inFlight.Go(func() { l.one(due, k, fmt.Sprint(k.prefix, i%k.topics)) })
	}
}

// flood publishes so many batches to each topic, as fast as the hub takes them, or
// as many as it takes within the time.
func (l *load) flood(batches int, within time.Duration, k kind) {
	var all sync.WaitGroup
	begin := time.Now()
	for topic := range k.topics {
		all.Go(func() {
			for i := 0; i < batches && time.Since(begin) < within; i++ {
				l.one(time.Now(), k, fmt.Sprint(k.prefix, topic))
			}
		})
	}
	all.Wait()
}

// one publishes a batch of the kind.
func (l *load) one(due time.Time, k kind, topic string) {
	var batch []harness.Event
	var sent []published
	for range k.batch {
		n := int(l.n.Add(1))
		batch = append(batch, harness.Event{Topic: topic, Type: "moved", Data: payload(due.Sub(l.start), k.size, n)})
		sent = append(sent, published{n: n, small: k.prefix == smallTopic})
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.t.Context()), time.Minute)
	defer cancel()
	a, err := harness.Publish(ctx, l.hub.URL("/v1/events"), batch...)
	if err != nil || a.Status != 200 || len(a.Events) != k.batch {
		l.t.Errorf("publish %d: %d %s %v", sent[0].n, a.Status, a.Detail, err)
		return
	}
	for i, e := range a.Events {
		sent[i].offset = e.Offset
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, sent...)
}

// all is what has been acknowledged, in order.
func (l *load) all() []published {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := slices.Clone(l.events)
	slices.SortFunc(all, func(a, b published) int { return cmp.Compare(a.offset, b.offset) })
	return all
}

// last is the offset of the last of it.
func (l *load) last() uint64 {
	all := l.all()
	return all[len(all)-1].offset
}

// small is that which healthy clients follow.
func (l *load) small() []published {
	return slices.DeleteFunc(l.all(), func(p published) bool { return !p.small })
}

// now is the time as events have it, in µs.
func (l *load) now() int64 { return time.Since(l.start).Microseconds() }
