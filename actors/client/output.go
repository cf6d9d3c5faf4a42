package client

import (
	"slices"
	"sync"
	"time"

	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/presence"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/telemetry"
)

// flushBytes is how much gathers at most before it is written although more is
// waiting: about what a socket buffer takes at once.
const flushBytes = 64 << 10

// outputs lends what gathers, so that an idle client holds nothing.
var outputs = sync.Pool{New: func() any { return new(output) }}

// output gathers what is written with one system call.
type output struct {
	pieces [][]byte
	bytes  int

	events   int       // frames among the pieces
	live     bool      // the frames were offered, not read from history
	offered  time.Time // the oldest offer's
	accepted time.Time // the oldest frame's
	fanouts  []*telemetry.Fanout
}

// output is where what is to be written gathers.
func (c *client) output() *output {
	if c.out == nil {
		c.out = outputs.Get().(*output)
	}
	return c.out
}

// release gives back the output: what it gathered has been written, or cannot be.
func (c *client) release() {
	o := c.out
	clear(o.pieces)
	clear(o.fanouts)
	*o = output{pieces: o.pieces[:0], fanouts: o.fanouts[:0]}
	outputs.Put(o)
	c.out = nil
}

// notice adds one of the hub's own events.
func (c *client) notice(n frame.Notice) {
	b := n.Bytes(c.req.Format)
	o := c.output()
	o.pieces = append(o.pieces, b)
	o.bytes += len(b)
}

// addOffer adds the frames of an offer that are past the position, transient ones
// always.
func (c *client) addOffer(m Offer) {
	before := 0
	if c.out != nil {
		before = c.out.events
	}
	c.addFrames(m.Frames)
	o := c.out
	if o == nil || o.events == before {
		return
	}
	if !o.live {
		o.live, o.offered = true, m.At
	}
	o.fanouts = slices.AppendSeq(o.fanouts, frame.Fanouts(m.Frames))
}

// addFrames adds what is past the position. The list holds whole batches, so the
// last frame of each is known.
func (c *client) addFrames(frames []*frame.Frame) {
	for i, f := range frames {
		if offset := f.Event.Offset; offset > 0 && offset <= c.position || !c.mayRead(f.Event.Topic) || c.inLists(f) {
			continue
		}
		last := i+1 == len(frames) || !frame.SameBatch(f, frames[i+1])
		o := c.output()
		o.pieces = f.AppendPieces(o.pieces, c.req.Format, last)
		o.bytes += f.Size()
		if o.events == 0 {
			o.accepted = f.Accepted
		}
		o.events++
	}
}

// inLists reports whether a frame tells of presence what the lists, which are still to
// come, have in them.
func (c *client) inLists(f *frame.Frame) bool {
	if len(c.req.Presence) == 0 || c.listed {
		return false
	}
	c.listed = f.To != nil
	_, ok := presence.Of(f.Event.Topic)
	return ok && !c.listed
}

// flush writes what has gathered; failure ends the connection.
func (c *client) flush(ctx *actors.Context[Message]) {
	if c.out == nil || c.ended != "" {
		return
	}
	c.flushed(ctx, c.req.Transport.Write(c.out.pieces, c.Config.WriteTimeout))
}

// tryFlush writes what has gathered as far as the socket takes it at once. For
// the rest it waits on a goroutine of its own.
func (c *client) tryFlush(ctx *actors.Context[Message]) {
	o := c.out
	if o == nil || c.draining || c.ended != "" {
		return
	}
	if s, ok := c.req.Transport.(socket); ok {
		n, err := s.TryWrite(o.pieces)
		if o.skip(n); err != nil || len(o.pieces) == 0 {
			c.flushed(ctx, err)
			return
		}
	}
	c.draining = true
	if ctx.Self().Tell(drain{}) != nil {
		ctx.After(0, drain{})
	}
}

// flushed ends a flush.
func (c *client) flushed(ctx *actors.Context[Message], err error) {
	if err != nil {
		c.release()
		ctx.Debug("write fails", "error", err)
		c.end(ctx, "write")
		return
	}
	c.delivered(c.out)
	c.release()
}

// skip takes away the first n bytes of the pieces.
func (o *output) skip(n int) {
	left := copy(o.pieces, after(o.pieces, n)) // the list is lent, and keeps its place
	clear(o.pieces[left:])
	o.pieces = o.pieces[:left]
}

// timed is how many flushes there are for one whose time is taken: to take it costs
// as much as a tenth of a write.
const timed = 8

// delivered records one flush: at most one reading of the clock, whatever it carried.
func (c *client) delivered(o *output) {
	if o.events == 0 {
		return
	}
	format := c.req.Format.String()
	c.Telemetry.Delivered(format, o.live, o.events)
	if !o.live {
		return
	}
	c.flushes++
	takeTime := c.flushes%timed == 1
	if !takeTime && len(o.fanouts) == 0 {
		return
	}
	now := time.Now()
	if takeTime {
		c.Telemetry.Took(format, now.Sub(o.offered), now.Sub(o.accepted))
	}
	for _, f := range o.fanouts {
		f.Written(now)
	}
}
