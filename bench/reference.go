package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/navehub/nave/tests/harness"
)

// reference is 20 topics, clients of which a third follow everything, a third a
// pattern, and a third five topics, and events at a fixed rate.
type reference struct {
	length  time.Duration
	clients int
	rate    int
}

const referenceTopics = 20

func (l reference) run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin, err := harness.Build(ctx, dir, "hub")
	if err != nil {
		return err
	}
	hub, err := harness.New(bin, dir+"/data")
	if err != nil {
		return err
	}
	if err := hub.Start(ctx); err != nil {
		return err
	}
	defer hub.Kill()
	idle, err := hub.Usage()
	if err != nil {
		return err
	}

	following, stop := l.follow(ctx, hub)
	defer stop()
	sent, acks, err := l.publish(ctx, hub)
	if err != nil {
		return err
	}
	busy, err := hub.Usage()
	if err != nil {
		return err
	}
	l.print(idle, busy, acks, propagation(following, sent))
	return nil
}

func (l reference) follow(ctx context.Context, hub *harness.Process) ([]*harness.Subscriber, func()) {
	ctx, cancel := context.WithCancel(ctx)
	var all []*harness.Subscriber
	var running sync.WaitGroup
	for i := range l.clients {
		s := &harness.Subscriber{URL: hub.URL("/v1/events"), Filters: l.filters(i)}
		all = append(all, s)
		running.Go(func() { s.Follow(ctx) })
	}
	for _, s := range all {
		_ = s.Wait(ctx, func(s *harness.Subscriber) bool { return len(s.Verdicts()) > 0 })
	}
	return all, func() { cancel(); running.Wait() }
}

func (l reference) filters(i int) []string {
	switch i % 3 {
	case 0:
		return []string{"board/**"}
	case 1:
		return []string{"board/*"}
	}
	var five []string
	for k := range 5 {
		five = append(five, topic((i+k*4)%referenceTopics))
	}
	return five
}

func topic(i int) string { return "board/" + strconv.Itoa(i) }

// publish sends at fixed times, whatever the hub does meanwhile: an event that
// has to wait for the one before is late from its own time on.
func (l reference) publish(ctx context.Context, hub *harness.Process) (map[string]time.Time, []time.Duration, error) {
	sent := make(map[string]time.Time)
	var acks []time.Duration
	var mu sync.Mutex
	var failed error
	var inFlight sync.WaitGroup
	payload := strings.Repeat("x", 200)
	start := time.Now()
	total := int(l.length.Seconds() * float64(l.rate))
	for i := range total {
		due := start.Add(time.Duration(i) * time.Second / time.Duration(l.rate))
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(time.Until(due)):
		}
		id := strconv.Itoa(i)
		mu.Lock()
		sent[id] = due
		mu.Unlock()
		inFlight.Go(func() {
			_, err := harness.Publish(ctx, hub.URL("/v1/events"), harness.Event{
				Topic: topic(i % referenceTopics), Type: "card.moved", Key: strconv.Itoa(i % 500),
				ID: id, Source: "bench", Data: payload,
			})
			mu.Lock()
			defer mu.Unlock()
			acks = append(acks, time.Since(due))
			if err != nil {
				failed = err
			}
		})
	}
	inFlight.Wait()
	return sent, acks, failed
}

func propagation(following []*harness.Subscriber, sent map[string]time.Time) (all []time.Duration) {
	for _, s := range following {
		for _, e := range s.Seen() {
			all = append(all, e.At.Sub(sent[e.ID]))
		}
	}
	return all
}

func (l reference) print(idle, busy harness.Usage, acks, propagation []time.Duration) {
	cpu := float64(busy.CPU-idle.CPU) / float64(l.length) * 100
	fmt.Printf("reference load: %d clients, %d events/s of 200 bytes, durable, for %v; %d cores, %s\n",
		l.clients, l.rate, l.length, runtime.NumCPU(), runtime.Version())
	fmt.Printf("  memory      %d MB RSS (idle %d MB, peak %d MB)\n", busy.RSS>>20, idle.RSS>>20, busy.PeakRSS>>20)
	fmt.Printf("  processor   %.1f %% of a core\n", cpu)
	fmt.Printf("  publish     p50 %v  p99 %v  max %v  (%d)\n", at(acks, 50), at(acks, 99), at(acks, 100), len(acks))
	fmt.Printf("  propagation p50 %v  p99 %v  max %v  (%d deliveries)\n", at(propagation, 50), at(propagation, 99), at(propagation, 100), len(propagation))
}

// at is a percentile.
func at(all []time.Duration, percent int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[(len(all)-1)*percent/100].Round(10 * time.Microsecond)
}
