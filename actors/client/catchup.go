package client

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/frame"
)

const (
	// attachAgain is the pause before asking a full dispatcher again.
	attachAgain = 20 * time.Millisecond
	// historyAgain is the pause before reading a log again that does not answer:
	// the journal may be reopening it.
	historyAgain = 250 * time.Millisecond
	// readerAgain and readerAtLast are the pauses before asking again whether the
	// reader has taken what was written.
	readerAgain, readerAtLast = 10 * time.Millisecond, 500 * time.Millisecond
)

// attach asks the dispatcher for offers; Attached answers.
func (c *client) attach(ctx *actors.Context[Message]) {
	if c.attaching {
		return
	}
	c.attaching = true
	if err := c.Dispatcher.Attach(c.id, c.req.follows(), ctx.Self()); err != nil {
		ctx.After(attachAgain, Unattached{})
	}
}

// attachedAt learns from where on everything will be offered. A verdict that has
// waited for this goes out with it: its owner starts here.
func (c *client) attachedAt(ctx *actors.Context[Message], head uint64) {
	c.attaching, c.attached, c.head = false, true, head
	if c.verdict != nil {
		// What is committed already is the past, though the dispatcher may still
		// have to offer it.
		c.position = max(head, c.History.Head())
		c.sync(*c.verdict, c.position)
		c.verdict = nil
	}
	c.catchUp(ctx)
}

// fellBehind starts catching up: the dispatcher has dropped an offer and makes
// no more.
func (c *client) fellBehind(ctx *actors.Context[Message]) {
	c.live, c.attached = false, false
	if !c.lags() {
		c.behind = &behind{since: time.Now()}
	}
	c.register()
	c.catchUp(ctx)
}

// proceed is the next step of what takes several.
func (c *client) proceed(ctx *actors.Context[Message]) {
	switch {
	case c.snapshot != nil:
		c.snapshotPage(ctx)
	case c.verdict != nil && c.req.Snapshot:
		c.beginSnapshot(ctx)
	default:
		c.catchUp(ctx)
	}
}

// catchUp writes one page of history. At its end it attaches, and once attached
// and at the head it goes live.
func (c *client) catchUp(ctx *actors.Context[Message]) {
	if c.live || c.verdict != nil || c.snapshot != nil || c.ended != "" {
		return
	}
	if c.attached && c.position >= c.head {
		c.goLive()
		return
	}
	if c.lags() && time.Since(c.behind.since) > c.Config.MaxLag {
		c.bye(ctx, Bye{Reason: "too slow", Retry: c.Config.Retry})
		return
	}
	if c.waitsForReader(ctx) {
		return
	}
	if !c.History.AtHand(c.position) {
		c.flush(ctx) // the verdict, above all, need not wait for the log
	}
	frames, next, err := c.History.Read(context.Background(), c.position, c.req.Filters)
	var reset *nave.ResetError
	switch {
	case errors.As(err, &reset):
		c.resetTo(ctx, reset.Reason)
		return
	case err != nil:
		c.unreadable(ctx, "history", err)
		return
	}
	if !c.Level().Has(nave.EveryVersion) {
		frames = frame.Latest(frames)
	}
	c.addFrames(frames)
	ended := next == c.position || next >= c.History.Head()
	c.position = next
	c.flush(ctx)
	switch {
	case ended && !c.attached:
		c.attach(ctx)
	case c.ended == "":
		c.again(ctx)
	}
}

// waitsForReader sees to it that a page is read only once it can be written:
// thousands of readers that take nothing would hold a page each.
func (c *client) waitsForReader(ctx *actors.Context[Message]) bool {
	t, ok := c.req.Transport.(socket)
	if !ok {
		return false
	}
	backlog := t.Backlog()
	if backlog <= lowWater {
		if c.behind != nil {
			c.behind.blocked = time.Time{}
		}
		return false
	}
	if c.behind == nil {
		c.behind = new(behind)
	}
	b := c.behind
	if b.blocked.IsZero() || backlog < b.backlog { // slow is not stuck
		b.blocked = time.Now()
	}
	b.backlog = backlog
	waited := time.Since(b.blocked)
	if waited > c.Config.WriteTimeout {
		c.end(ctx, "write")
	} else if !c.scheduled {
		c.scheduled = true
		ctx.After(min(readerAgain+waited/2, readerAtLast), proceed{})
	}
	return true
}

// again comes back to proceed after what else is waiting for attention.
func (c *client) again(ctx *actors.Context[Message]) {
	if c.scheduled {
		return
	}
	c.scheduled = true
	if err := ctx.Self().Tell(proceed{}); err != nil {
		ctx.After(0, proceed{})
	}
}

// unreadable waits for a log that does not answer now. That it is being reopened
// its journal says once, for all clients.
func (c *client) unreadable(ctx *actors.Context[Message], what string, err error) {
	level := slog.LevelWarn
	if nave.CodeOf(err) == nave.CodeUnavailable {
		level = slog.LevelDebug
	}
	ctx.Logger().Log(context.Background(), level, what+" cannot be read; trying again", "error", err)
	c.later(ctx)
}

// later comes back to proceed when what does not answer now may do so.
func (c *client) later(ctx *actors.Context[Message]) {
	if !c.scheduled {
		c.scheduled = true
		ctx.After(historyAgain, proceed{})
	}
}

// resetTo gives up what cannot be read any more: retention was faster. The
// verdict goes out with the head from which the client goes on.
func (c *client) resetTo(ctx *actors.Context[Message], reason nave.ResetReason) {
	c.attached = false
	c.verdict = &frame.Sync{Status: frame.Reset, Reason: reason}
	if c.req.Snapshot {
		c.beginSnapshot(ctx)
		return
	}
	c.attach(ctx)
}

// goLive writes offers from now on. What was told of presence before may have been
// missed, so all of it is asked for.
func (c *client) goLive() {
	c.live, c.behind, c.listed = true, nil, false
	c.register()
	if len(c.req.Presence) > 0 {
		c.Listen(c.id)
	}
}

// offered writes what the dispatcher hands over. Offers that come before the
// client is live are left to history, which has them too.
func (c *client) offered(o Offer) {
	if !c.live {
		for _, f := range o.Frames {
			c.head = max(c.head, f.Event.Offset)
		}
		return
	}
	c.addOffer(o)
	for _, f := range o.Frames {
		c.position = max(c.position, f.Event.Offset)
	}
}

// heartbeat shows that the stream is not mute. To a live client it carries the
// cursor, so that one of quiet topics keeps up with the head.
func (c *client) heartbeat(h Heartbeat) {
	head := nave.Cursor{Epoch: c.History.Epoch(), Offset: c.History.Head()}
	n := frame.Notice{Name: frame.HeartbeatName, Data: frame.Heartbeat{
		Time: h.At, Cursor: head.String(), HeartbeatMS: h.Every.Milliseconds(),
	}}
	if c.live {
		c.position = max(c.position, h.Head)
		n.Cursor = nave.Cursor{Epoch: head.Epoch, Offset: c.position}
	}
	c.notice(n)
}

// sync queues a verdict. at is where the client stands then, 0 if that is not
// settled yet.
func (c *client) sync(s frame.Sync, at uint64) {
	n := frame.Notice{Name: frame.SyncName, Retry: c.Config.Retry}
	if at > 0 || s.Status == frame.Live || s.Status == frame.Reset {
		n.Cursor = nave.Cursor{Epoch: c.History.Epoch(), Offset: at}
		s.Cursor = n.Cursor.String()
	}
	c.describe(&s)
	n.Data = s
	verdict := string(s.Status)
	if s.Reason != "" {
		verdict = string(s.Reason)
	}
	c.Telemetry.Resumed(verdict)
	c.notice(n)
}

// describe says in a verdict what a client has to know of its connection.
func (c *client) describe(s *frame.Sync) {
	level := c.Level()
	s.Connection, s.HeartbeatMS, s.Receipts = c.name(), level.Heartbeat(c.Heartbeat).Milliseconds(), c.receipts()
	if level != nave.LevelNormal {
		s.Level = level
	}
}
