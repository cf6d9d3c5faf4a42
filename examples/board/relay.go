package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.uber.org/fx"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/examples/board/store"
)

const (
	relayName = "outbox-relay"
	// relayTopic is where the relay hears that there is something to do. Nobody has a
	// token to publish there.
	relayTopic nave.Topic = "outbox/board"
	// relayPage is how many transactions are read together.
	relayPage = 50
	// tidyAfter is how often, at most, what the hub has is taken out of the outbox: each
	// time costs a sync of the disk. After a crash meanwhile it is published again under
	// the same ids, and the hub stores nothing twice.
	tidyAfter = time.Second
)

// relayOf publishes what waits in the outbox: each transaction as one batch, in
// their order.
func relayOf(s *store.Store) hub.Extension {
	return hub.Extension{
		Name:    relayName,
		Filters: nave.Filters{nave.Filter(relayTopic)},
		New:     func(out hub.Publisher) hub.Handler { return &relay{store: s, out: out} },
	}
}

type relay struct {
	store     *store.Store
	out       hub.Publisher
	published int64 // the last transaction that the hub has
	takenOut  int64 // the last that is no longer in the outbox
	tidied    time.Time
}

// Handle publishes the outbox. When it cannot, the hub calls it again a second
// later, or restarts it.
func (r *relay) Handle(ctx context.Context, _ nave.Event) error {
	for {
		waiting, err := r.store.Waiting(ctx, r.published, relayPage)
		if err != nil {
			return nave.Errorf(nave.CodeUnavailable, "read the outbox: %w", err)
		}
		if err := errors.Join(r.publish(ctx, waiting), r.tidy(ctx)); err != nil || len(waiting) < relayPage {
			return err // what was written since has woken the relay again
		}
	}
}

// tidy takes what the hub has out of the outbox, unless it has done so just now.
func (r *relay) tidy(ctx context.Context) error {
	if r.takenOut == r.published || time.Since(r.tidied) < tidyAfter {
		return nil
	}
	if err := r.store.Announced(ctx, r.published); err != nil {
		return nave.Errorf(nave.CodeUnavailable, "empty the outbox: %w", err)
	}
	r.takenOut, r.tidied = r.published, time.Now()
	return nil
}

func (r *relay) publish(ctx context.Context, waiting []store.Batch) error {
	for _, batch := range waiting {
		if _, err := r.out.Publish(ctx, eventsOf(r.store.Name(), batch)...); err != nil {
			return fmt.Errorf("publish transaction %d of the outbox: %w", batch.ID, err)
		}
		r.published = batch.ID
	}
	return nil
}

func eventsOf(database string, batch store.Batch) []nave.Event {
	events := make([]nave.Event, len(batch.Events))
	for i, e := range batch.Events {
		events[i] = nave.Event{
			Topic: nave.Topic(e.Topic), Type: e.Type, Key: e.Key, Data: e.Data, Time: batch.At,
			ID: fmt.Sprintf("%s-%d-%d", database, batch.ID, i), Source: "board",
		}
	}
	return events
}

// wakeAgain is how often the relay is woken while something waits.
const wakeAgain = time.Second

// wake wakes the relay after changes, and again while something waits: what the hub
// missed, or did not take.
func wake(lc fx.Lifecycle, s *store.Store, out hub.Publisher) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	lc.Append(fx.StartStopHook(func() {
		running.Go(func() {
			tick := time.NewTicker(wakeAgain)
			defer tick.Stop()
			wakeIfNeeded(ctx, s, out)
			for {
				select {
				case <-ctx.Done():
					return
				case <-s.Changed():
					wakeUp(ctx, out)
				case <-tick.C:
					wakeIfNeeded(ctx, s, out)
				}
			}
		})
	}, func() {
		cancel()
		running.Wait()
	}))
}

func wakeIfNeeded(ctx context.Context, s *store.Store, out hub.Publisher) {
	waiting, err := s.Waiting(ctx, 0, 1)
	if err != nil && ctx.Err() == nil {
		slog.Warn("the outbox cannot be read; it is tried again", "error", err)
	}
	if len(waiting) > 0 {
		wakeUp(ctx, out)
	}
}

func wakeUp(ctx context.Context, out hub.Publisher) {
	_, err := out.Publish(ctx, nave.Event{Topic: relayTopic, Type: "outbox.written"})
	if err != nil && ctx.Err() == nil {
		slog.Warn("the relay cannot be woken; it is tried again", "error", err)
	}
}
