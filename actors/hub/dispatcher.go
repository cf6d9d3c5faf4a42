package hub

import (
	"errors"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/supervision"
)

const (
	// dispatcherMailbox is how many groups may wait for a shard, before it falls
	// back on the recent groups.
	dispatcherMailbox = 256
	// dispatcherControl bounds clients that come and go at once; those that find
	// no room try again.
	dispatcherControl = 16 << 10
	// heartbeatSlots spread the heartbeats of a shard's clients over time.
	heartbeatSlots = 16
)

// A dispatcherMessage is anything a dispatcher accepts.
//
//sumtype:decl
type dispatcherMessage interface{ dispatcherMessage() }

// committed is a group to be offered.
type committed struct{ *group }

// wake says that a group did not fit into the mailbox.
type wake struct{}

// attach asks for offers to a client, or for offers again once it lags no more.
type attach struct {
	id      uint64
	filters nave.Filters
	to      actors.Ref[client.Message]
}

// detach ends the offers to a client.
type detach struct{ id uint64 }

// beat is the time for one slot's heartbeats.
type beat struct{ slot uint64 }

func (committed) dispatcherMessage() {}
func (wake) dispatcherMessage()      {}
func (attach) dispatcherMessage()    {}
func (detach) dispatcherMessage()    {}
func (beat) dispatcherMessage()      {}

// ControlMessage lets it through although groups are backed up.
func (wake) ControlMessage() {}

// ControlMessage lets it through although groups are backed up.
func (attach) ControlMessage() {}

// ControlMessage lets it through although groups are backed up.
func (detach) ControlMessage() {}

// ControlMessage lets it through although groups are backed up.
func (beat) ControlMessage() {}

// A subscriber is a client as its dispatcher knows it.
type subscriber struct {
	id      uint64
	filters nave.Filters
	ref     actors.Ref[client.Message]
	lagging bool // gets no offers until it attaches again
	told    bool // and has been told so

	frames []*frame.Frame // of the group in work
}

// A dispatcher offers every committed group, in order, to the clients of its
// shard. It never blocks: who cannot take an offer is lagging.
type dispatcher struct {
	*Hub
	// subscribers is the shard's memory, which outlives a restart; all else is
	// made anew.
	subscribers map[uint64]*subscriber

	index   nave.Index[*subscriber]
	seq     uint64 // the newest group offered
	head    uint64 // the log's head after it
	touched []*subscriber
	current *frame.Frame // the frame that collect is called for
	collect func(*subscriber)
}

func (h *Hub) dispatcherSpec() actors.Spec[dispatcherMessage] {
	memory := make(map[uint64]*subscriber)
	return actors.Spec[dispatcherMessage]{
		Kind:    supervision.Dispatcher,
		Mailbox: actors.Limits{Count: dispatcherMailbox, Control: dispatcherControl},
		New: func() actors.Actor[dispatcherMessage] {
			return &dispatcher{Hub: h, subscribers: memory}
		},
	}
}

// Started begins at the present. Clients of an earlier incarnation may have
// missed what it was offering: they re-read from where each of them is.
func (d *dispatcher) Started(c *actors.Context[dispatcherMessage]) {
	d.collect = d.add
	d.seq, d.head = d.recent.last()
	for _, s := range d.subscribers {
		d.enlist(s)
		d.lag(s)
	}
	c.After(d.config.Heartbeat/heartbeatSlots, beat{})
}

func (d *dispatcher) Receive(c *actors.Context[dispatcherMessage], m dispatcherMessage) {
	switch m := m.(type) {
	case committed:
		d.dispatch(m.group)
	case wake:
		d.fillGap()
	case attach:
		d.attach(m)
	case detach:
		d.remove(m.id)
	case beat:
		c.After(d.config.Heartbeat/heartbeatSlots, beat{m.slot + 1})
		d.heartbeat(m.slot % heartbeatSlots)
	}
}

func (d *dispatcher) attach(m attach) {
	s := d.subscribers[m.id]
	if s == nil {
		s = &subscriber{id: m.id, filters: m.filters, ref: m.to}
		d.subscribers[m.id] = s
		d.enlist(s)
	}
	s.lagging, s.told = false, false
	if err := m.to.Tell(client.Attached{Head: d.head}); err != nil {
		d.remove(m.id)
	}
}

func (d *dispatcher) enlist(s *subscriber) {
	s.frames = nil
	for _, f := range s.filters {
		d.index.Add(f, s)
	}
}

func (d *dispatcher) remove(id uint64) {
	s := d.subscribers[id]
	if s == nil {
		return
	}
	delete(d.subscribers, id)
	for _, f := range s.filters {
		d.index.Remove(f, s)
	}
}

// dispatch offers one group; what was missed before it comes first.
func (d *dispatcher) dispatch(g *group) {
	if g.seq > d.seq+1 {
		d.fillGap()
	}
	if g.seq == d.seq+1 {
		d.offerGroup(g)
	}
}

// fillGap offers what the recent groups hold beyond the newest one offered. When
// some of it has left, every client re-reads from the log instead.
func (d *dispatcher) fillGap() {
	for {
		groups, ok := d.recent.afterSeq(d.seq)
		if !ok {
			d.seq, d.head = d.recent.last()
			for _, s := range d.subscribers {
				d.lag(s)
			}
			return
		}
		if len(groups) == 0 {
			return
		}
		for _, g := range groups {
			d.offerGroup(g)
		}
	}
}

// offerGroup gathers for each client what it follows of the group, and offers
// that as one message: one order over all topics, without a lock.
func (d *dispatcher) offerGroup(g *group) {
	start := time.Now()
	for _, f := range g.frames {
		d.current = f
		d.index.Match(f.Event.Topic, d.collect)
	}
	d.current = nil
	d.seq, d.head = g.seq, g.head
	for i, s := range d.touched {
		d.offer(s, g, start)
		d.touched[i] = nil
	}
	offers := len(d.touched)
	d.touched = d.touched[:0]
	if g.shards.Add(-1) == 0 {
		for f := range frame.Fanouts(g.frames) {
			f.Dispatched()
		}
	}
	d.telemetry.Dispatched(len(g.frames), offers, time.Since(start))
}

// add notes that a subscriber follows the current frame; several of its filters
// may match.
func (d *dispatcher) add(s *subscriber) {
	if n := len(s.frames); n > 0 && s.frames[n-1] == d.current {
		return
	}
	if len(s.frames) == 0 {
		d.touched = append(d.touched, s)
	}
	s.frames = append(s.frames, d.current)
}

func (d *dispatcher) offer(s *subscriber, g *group, at time.Time) {
	frames := s.frames
	s.frames = nil
	if s.lagging {
		d.lag(s) // the news may not have fitted before
		skipped(frames)
		return
	}
	if len(frames) == len(g.frames) {
		frames = g.frames // one list for all who follow everything
	}
	bytes := 0
	for _, f := range frames {
		bytes += f.Size()
	}
	for f := range frame.Fanouts(frames) {
		f.Offered(1)
	}
	switch err := s.ref.Tell(client.Offer{Frames: frames, At: at, Bytes: bytes}); {
	case err == nil:
	case isFull(err):
		d.lag(s)
		withdrawn(frames)
	default:
		d.remove(s.id)
		withdrawn(frames)
	}
}

// lag makes no more offers to a client, and tells it to catch up by itself.
func (d *dispatcher) lag(s *subscriber) {
	s.lagging = true
	if !s.told {
		s.told = s.ref.Tell(client.Lagging{}) == nil
	}
}

func skipped(frames []*frame.Frame) {
	for f := range frame.Fanouts(frames) {
		f.Skipped(1)
	}
}

// withdrawn takes back what was counted as offered.
func withdrawn(frames []*frame.Frame) {
	for f := range frame.Fanouts(frames) {
		f.Offered(-1)
		f.Skipped(1)
	}
}

func isFull(err error) bool { return errors.Is(err, actors.ErrFull) }

// heartbeat reaches the clients of one slot. It queues behind their offers; one
// that is full needs no sign of life.
func (d *dispatcher) heartbeat(slot uint64) {
	now := time.Now()
	for id, s := range d.subscribers {
		if id/uint64(d.config.Dispatchers)%heartbeatSlots != slot {
			continue
		}
		if s.lagging {
			d.lag(s)
		}
		if s.lagging && !s.told {
			continue // it believes to be live, and would skip what it was not offered
		}
		if err := s.ref.Tell(client.Heartbeat{Head: d.head, At: now}); err != nil && !isFull(err) {
			d.remove(id)
		}
	}
}
