package power

import (
	"context"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/tests/history"
)

// A peeker polls, and reads the state, as fast as it is allowed to: what is shown
// before it is safe, it sees.
type peeker struct {
	*world
	notes  *history.Subscription
	cursor nave.Cursor
}

func newPeeker(w *world) *peeker {
	return &peeker{world: w, notes: w.record.Subscriber("peeker", durable)}
}

// peek works until the power is cut, or the hub ends.
func (p *peeker) peek(ctx context.Context, r *run) {
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for i := 0; r.supply.on() && !r.ending.Load(); i++ {
		p.poll(ctx, r)
		if i%3 == 0 {
			p.state(ctx, r)
		}
		<-tick.C
	}
}

// begin gives a peeker without a cursor the beginning of the log. It starts when
// nothing has been published yet, but its first poll may come after something was.
func (p *peeker) begin(r *run) {
	if p.cursor.IsZero() {
		p.cursor.Epoch = r.hub.Epoch()
	}
}

// finish polls until there is nothing more.
func (p *peeker) finish(ctx context.Context, r *run) {
	for p.poll(ctx, r) > 0 {
	}
}

// poll returns how many events there were.
func (p *peeker) poll(ctx context.Context, r *run) int {
	p.begin(r)
	page, err := r.hub.Poll(ctx, client.Request{Filters: durable, Cursor: p.cursor.String()}, 0)
	switch {
	case !r.supply.on(), err != nil && r.ending.Load():
		return 0
	case err != nil:
		p.fault("subscribers refused", "a poll: %v", err)
		return 0
	}
	p.take(page)
	return len(page.Frames)
}

func (p *peeker) take(page hub.Page) {
	switch {
	case page.Sync.Status == frame.Recovered:
	case p.retention && page.Sync.Reason == nave.ResetRetention:
		p.tally.add(rowResets, 1)
		p.notes.Missed(p.cursor.Offset, page.Cursor.Offset)
	default:
		p.notes.Missed(p.cursor.Offset, page.Cursor.Offset)
		p.notes.Told("reset " + string(page.Sync.Reason))
	}
	for i, f := range page.Frames {
		seen := sight(f.Event)
		seen.Cursor = i+1 == len(page.Frames) || !frame.SameBatch(f, page.Frames[i+1])
		p.notes.Saw(seen)
		p.sighted(seen)
	}
	p.cursor = page.Cursor
}

func sight(e nave.Event) history.Seen {
	return history.Seen{ID: e.ID, Topic: e.Topic, Key: e.Key, Offset: e.Offset, I: e.Batch.I, N: e.Batch.N}
}

// state reads the state.
func (p *peeker) state(ctx context.Context, r *run) {
	state, err := r.hub.State(ctx, durable)
	if err != nil {
		if r.supply.on() && !r.ending.Load() {
			p.fault("subscribers refused", "the state: %v", err)
		}
		return
	}
	defer state.Close()
	for e, err := range state.Events() {
		switch {
		case !r.supply.on():
			return
		case err != nil:
			if !r.ending.Load() {
				p.fault("subscribers refused", "the state: %v", err)
			}
			return
		}
		p.glimpsed(sight(e))
	}
}
