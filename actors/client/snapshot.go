package client

import (
	"context"
	"iter"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/frame"
)

// A snapshot being sent. Its events carry no cursor: a connection that breaks
// before the end starts anew.
type snapshot struct {
	eventlog.Snapshot
	next func() (nave.Event, error, bool)
	stop func()
}

// beginSnapshot takes the state of all keys. What happens after it comes from
// history, so nothing is missed and nothing comes twice.
func (c *client) beginSnapshot(ctx *actors.Context[Message]) {
	state, err := c.History.State(context.Background(), c.req.Filters)
	if err != nil {
		c.unreadable(ctx, "state", err)
		return
	}
	c.closeSnapshot() // one that was under way is of no use any more
	next, stop := iter.Pull2(state.Events())
	c.snapshot = &snapshot{state, next, stop}

	begin := *c.verdict
	c.verdict = nil
	begin.Snapshot = "begin"
	c.describe(&begin)
	c.notice(frame.Notice{Name: frame.SyncName, Data: begin, Retry: c.Config.Retry})
	c.snapshotPage(ctx)
}

// snapshotPage writes some of the state, and at its end the cursor.
func (c *client) snapshotPage(ctx *actors.Context[Message]) {
	if c.waitsForReader(ctx) {
		return
	}
	for out := c.output(); out.bytes < flushBytes; {
		e, err, more := c.snapshot.next()
		if err != nil {
			ctx.Logger().Warn("state cannot be read", "error", err)
			c.bye(ctx, Bye{Reason: "unavailable", Retry: c.Config.Retry})
			return
		}
		if !more {
			c.position = c.snapshot.Offset()
			c.closeSnapshot()
			c.sync(frame.Sync{Status: frame.Live, Snapshot: "end"}, c.position)
			c.flush(ctx)
			c.catchUp(ctx)
			return
		}
		if !c.mayRead(e.Topic) {
			continue
		}
		e.Batch = nave.Position{} // the rest of the batch may be no state any more
		f := frame.New(c.History.Epoch(), e, c.connected)
		out.pieces = f.AppendPieces(out.pieces, c.req.Format, false)
		out.bytes += f.Size()
	}
	c.flush(ctx)
	c.again(ctx)
}

func (c *client) closeSnapshot() {
	if c.snapshot == nil {
		return
	}
	c.snapshot.stop()
	_ = c.snapshot.Close()
	c.snapshot = nil
}
