package hub

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/supervision"
)

// A Page is one answer to a poll.
type Page struct {
	// Cursor is where to go on.
	Cursor nave.Cursor
	// Sync is the verdict on the cursor that was given.
	Sync   frame.Sync
	Level  nave.Level
	Frames []*frame.Frame
}

// Poll answers what matches after the cursor: without one it says where a new reader
// stands. If there is nothing yet it waits for as long as wait. A poll has neither
// format nor transport.
func (h *Hub) Poll(ctx context.Context, req client.Request, wait time.Duration) (Page, error) {
	filters, cursor := req.Filters, req.Cursor
	if err := cmp.Or(h.checkRead(filters), h.checkPresence(req.Presence)); err != nil {
		return Page{}, err
	}
	h.seen(req)
	after, err := h.history.Verdict(filters, cursor)
	var reset *nave.ResetError
	switch {
	case errors.As(err, &reset):
		return h.fresh(frame.Sync{Status: frame.Reset, Reason: reset.Reason}), nil
	case cursor == "":
		return h.fresh(frame.Sync{Status: frame.Live}), nil
	}
	page, err := h.page(ctx, filters, after)
	if err != nil || len(page.Frames) > 0 || wait <= 0 || page.Sync.Status == frame.Reset {
		return page, err
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if err := h.await(ctx, req, page.Cursor.Offset); err != nil {
		return Page{}, err
	}
	return h.page(context.WithoutCancel(ctx), filters, page.Cursor.Offset)
}

// fresh is the page of a reader that starts now.
func (h *Hub) fresh(s frame.Sync) Page {
	at := nave.Cursor{Epoch: h.history.Epoch(), Offset: h.history.Head()}
	s.Cursor = at.String()
	return Page{Cursor: at, Sync: s, Level: h.Level()}
}

// page reads until something matches or everything is read.
func (h *Hub) page(ctx context.Context, filters nave.Filters, after uint64) (Page, error) {
	for {
		frames, next, err := h.history.Read(ctx, after, filters)
		var reset *nave.ResetError
		if errors.As(err, &reset) {
			return h.fresh(frame.Sync{Status: frame.Reset, Reason: reset.Reason}), nil
		}
		if err != nil {
			return Page{}, unknownIfEnded(err)
		}
		if len(frames) > 0 || next == after {
			at := nave.Cursor{Epoch: h.history.Epoch(), Offset: next}
			sync := frame.Sync{Status: frame.Recovered, Cursor: at.String()}
			return Page{Cursor: at, Sync: sync, Level: h.Level(), Frames: frames}, nil
		}
		after = next
	}
}

// await returns when something matches after the offset, or when ctx ends.
func (h *Hub) await(ctx context.Context, req client.Request, after uint64) error {
	w := &waiter{
		ctx: ctx, hub: h, who: req.Who, filters: req.Filters, after: after,
		streamless: !h.Level().Has(nave.Streams), done: make(chan struct{}),
	}
	err := h.spawnClient(ctx, req, nave.Pages, func(id uint64) actors.Spec[client.Message] {
		w.id = id
		return actors.Spec[client.Message]{
			Kind: supervision.Client,
			New:  func() actors.Actor[client.Message] { return w },
		}
	})
	if err != nil {
		return err
	}
	<-w.done
	return nil
}

// A waiter is a client that waits for one sign.
type waiter struct {
	// Set before it is spawned.
	ctx     context.Context // the poll's
	id      uint64
	hub     *Hub
	who     *auth.Identity
	filters nave.Filters
	after   uint64
	// The level was without streams when it came.
	streamless bool
	done       chan struct{} // closed when it ends

	unwatch func() bool
	soon    *time.Timer // ends it once there are streams
}

// streamsBackWithin is over how long polls are answered once there are streams again,
// so that not all who wait come back to stream at once.
const streamsBackWithin = 5 * time.Second

func (w *waiter) Started(c *actors.Context[client.Message]) {
	w.unwatch = context.AfterFunc(w.ctx, c.Self().Stop)
	if err := (desk{w.hub}).Attach(w.id, w.filters, c.Self()); err != nil {
		c.Stop() // no room: the poll answers at once instead
	}
}

// Receive ends at the first sign of news. What was committed before the
// dispatcher knew of the waiter shows in history.
func (w *waiter) Receive(c *actors.Context[client.Message], m client.Message) {
	switch m := m.(type) {
	case client.Heartbeat:
	case client.Recheck:
		if w.who != nil && w.hub.config.Authority.Check(w.who) != nil {
			c.Stop()
		}
	case client.Attached:
		if page, err := w.hub.page(w.ctx, w.filters, w.after); err != nil || len(page.Frames) > 0 {
			c.Stop()
		}
	case client.Level:
		if !m.Level.Has(nave.Pages) {
			c.Stop()
		} else if w.streamless && w.soon == nil && m.Level.Has(nave.Streams) {
			w.soon = time.AfterFunc(rand.N(streamsBackWithin), c.Self().Stop)
		}
	case client.Renew:
		m.Fail(errNoConnection) // a poll has nothing to renew
	case client.Offer:
		if slices.ContainsFunc(m.Frames, func(f *frame.Frame) bool { return f.Event.Offset > w.after }) {
			c.Stop()
		}
	default:
		c.Stop()
	}
}

func (w *waiter) Stopped() {
	w.unwatch()
	if w.soon != nil {
		w.soon.Stop()
	}
	desk{w.hub}.Detach(w.id)
	close(w.done)
}

// checkRead refuses what cannot be read, or not now.
func (h *Hub) checkRead(filters nave.Filters) error {
	if h.accepting.Err() != nil || h.history.log.Load() == nil {
		return h.closed()
	}
	if err := h.given(nave.Pages); err != nil {
		return err
	}
	return h.checkFilters(filters)
}

// State is a consistent snapshot of the latest event of every key that matches.
// The caller closes it.
func (h *Hub) State(ctx context.Context, filters nave.Filters) (eventlog.Snapshot, error) {
	if err := h.checkRead(filters); err != nil {
		return nil, err
	}
	return h.history.State(ctx, filters)
}
