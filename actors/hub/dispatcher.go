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

// Fail tells the client that it has not been attached.
func (a attach) Fail(error) { _ = a.to.Tell(client.Unattached{}) }

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

// PromptMessage lets a client that comes be live at once.
func (attach) PromptMessage() {}

// PromptMessage lets a client that goes take itself out.
func (detach) PromptMessage() {}

// A dispatcher offers every committed group, in order, to the clients of its
// shard. It never blocks: who cannot take an offer is lagging.
//
// Groups that are waiting are offered together, so that what is behind catches up
// with fewer and larger offers.
type dispatcher struct {
	hub    *Hub
	*shard // what outlives a restart; all else is made anew

	index nave.Index[*subscriber]
	seq   uint64 // the newest group gathered
	head  uint64 // the log's head after it

	// What is gathered, and not offered yet.
	groups  []*group
	frames  []*frame.Frame // of the groups; shared with offers
	bytes   int
	start   time.Time
	touched []*subscriber
	current int // the frame that collect is called for
	collect func(*subscriber)
}

func (h *Hub) dispatcherSpec(s *shard) actors.Spec[dispatcherMessage] {
	return actors.Spec[dispatcherMessage]{
		Kind:    supervision.Dispatcher,
		Mailbox: actors.Limits{Count: dispatcherMailbox, Control: dispatcherControl},
		New: func() actors.Actor[dispatcherMessage] {
			return &dispatcher{hub: h, shard: s}
		},
	}
}

// Started begins at the present. Clients of an earlier incarnation may have
// missed what it was offering: they re-read from where each of them is.
func (d *dispatcher) Started(c *actors.Context[dispatcherMessage]) {
	d.collect = d.add
	d.seq, d.head = d.hub.recent.last()
	d.watchers.Store(0)
	for _, s := range d.subscribers {
		d.enlist(s)
		d.lag(s)
	}
	c.After(d.heartbeatEvery()/heartbeatSlots, beat{})
}

func (d *dispatcher) Receive(c *actors.Context[dispatcherMessage], m dispatcherMessage) {
	if m, ok := m.(committed); ok {
		d.dispatch(m.group)
		if c.Waiting() == 0 {
			d.offerGathered()
		}
		return
	}
	d.offerGathered() // before anything that tells clients where the dispatcher is
	switch m := m.(type) {
	case committed: // above
	case wake:
		d.fillGap()
	case attach:
		d.attach(m)
	case detach:
		d.remove(m.id)
	case beat:
		c.After(d.heartbeatEvery()/heartbeatSlots, beat{m.slot + 1})
		d.heartbeat(m.slot % heartbeatSlots)
	case healthNews:
		d.offerHealth(m.frame)
	}
	d.offerGathered()
}

func (d *dispatcher) attach(m attach) {
	s := d.subscribers[m.id]
	if d.empty.Swap(false) {
		d.seq, d.head = d.hub.recent.last() // what the journal has not told is the past
	}
	if s == nil {
		s = &subscriber{id: m.id, filters: m.filters, ref: m.to}
		d.subscribers[m.id] = s
		d.enlist(s)
	}
	if s.lagging {
		d.lagging.Add(-1)
	}
	s.lagging, s.told = false, false
	if err := m.to.Tell(client.Attached{Head: d.head}); err != nil {
		d.remove(m.id)
	}
}

func (d *dispatcher) enlist(s *subscriber) {
	s.from, s.to, s.apart = 0, 0, nil
	for _, f := range s.filters {
		d.index.Add(f, s)
	}
	if s.health = s.filters.Match(nave.HealthTopic); s.health {
		d.watchers.Add(1)
	}
}

func (d *dispatcher) remove(id uint64) {
	s := d.subscribers[id]
	if s == nil {
		return
	}
	delete(d.subscribers, id)
	if s.lagging {
		d.lagging.Add(-1)
	}
	d.empty.Store(len(d.subscribers) == 0)
	for _, f := range s.filters {
		d.index.Remove(f, s)
	}
	if s.health {
		d.watchers.Add(-1)
	}
}

// dispatch gathers one group; what was missed before it comes first.
func (d *dispatcher) dispatch(g *group) {
	if g.seq > d.seq+1 {
		d.fillGap()
	}
	if g.seq == d.seq+1 {
		d.gather(g)
	}
}

// fillGap gathers what the recent groups hold beyond the newest one gathered. When
// some of it has left, every client re-reads from the log instead.
func (d *dispatcher) fillGap() {
	for {
		groups, ok := d.hub.recent.afterSeq(d.seq)
		if !ok {
			d.offerGathered()
			d.seq, d.head = d.hub.recent.last()
			for _, s := range d.subscribers {
				d.lag(s)
			}
			return
		}
		if len(groups) == 0 {
			return
		}
		for _, g := range groups {
			d.gather(g)
		}
	}
}

// gatherBytes is how much is gathered at most: about what a socket takes at once.
const gatherBytes = 64 << 10

// gather notes for each client what it follows of the group: that will be offered
// as one message, in one order over all topics, without a lock.
func (d *dispatcher) gather(g *group) {
	if len(d.groups) == 0 {
		d.start = time.Now()
	}
	d.groups = append(d.groups, g)
	if len(d.frames) == 0 {
		d.frames = g.frames
	} else {
		d.frames = append(d.frames[:len(d.frames):len(d.frames)], g.frames...)
	}
	for ; d.current < len(d.frames); d.current++ {
		f := d.frames[d.current]
		if f.To == nil {
			d.index.Match(f.Event.Topic, d.collect)
		}
		for _, id := range f.To {
			if s := d.subscribers[id]; s != nil {
				d.add(s)
			}
		}
	}
	d.seq, d.head = g.seq, g.head
	if d.bytes += g.bytes; d.bytes >= gatherBytes {
		d.offerGathered()
	}
}

// add notes that a subscriber follows the current frame; several of its filters
// may match.
func (d *dispatcher) add(s *subscriber) {
	i := int32(d.current) // a gathering ends long before it has as many frames
	switch {
	case s.to == i+1:
	case s.to == 0:
		d.touched = append(d.touched, s)
		s.from, s.to = i, i+1
	case s.to == i && s.apart == nil:
		s.to = i + 1
	default:
		if s.apart == nil {
			s.apart = append(make([]*frame.Frame, 0, 2*(s.to-s.from)+2), d.frames[s.from:s.to]...)
		}
		s.apart, s.to = append(s.apart, d.frames[i]), i+1
	}
}

// followed takes what was noted for a subscriber.
func (d *dispatcher) followed(s *subscriber) []*frame.Frame {
	frames := s.apart
	if frames == nil {
		frames = d.frames[s.from:s.to:s.to]
	}
	s.from, s.to, s.apart = 0, 0, nil
	return frames
}

// offerGathered offers what is gathered to those who follow it.
func (d *dispatcher) offerGathered() {
	if len(d.groups) == 0 {
		return
	}
	for i, s := range d.touched {
		d.offer(s, d.followed(s))
		d.touched[i] = nil
	}
	for i, g := range d.groups {
		g.offered()
		d.groups[i] = nil
	}
	d.hub.telemetry.Dispatched(len(d.frames), len(d.touched), time.Since(d.start))
	d.groups, d.touched = d.groups[:0], d.touched[:0]
	d.frames, d.current, d.bytes = nil, 0, 0
}

func (d *dispatcher) offer(s *subscriber, frames []*frame.Frame) {
	if s.lagging {
		d.lag(s) // the news may not have fitted before
		skipped(frames)
		return
	}
	for f := range frame.Fanouts(frames) {
		f.Offered(1)
	}
	switch err := s.ref.Tell(client.Offer{Frames: frames, At: d.start, Bytes: frame.Kept(frames)}); {
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
	if !s.lagging {
		s.lagging = true
		d.lagging.Add(1)
	}
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

// heartbeatEvery is how often a client gets one, at the level that is held.
func (d *dispatcher) heartbeatEvery() time.Duration {
	return d.hub.Level().Heartbeat(d.hub.config.Heartbeat)
}

// heartbeat reaches the clients of one slot. It queues behind their offers; one
// that is full needs no sign of life.
func (d *dispatcher) heartbeat(slot uint64) {
	now, every := time.Now(), d.heartbeatEvery()
	for id, s := range d.subscribers {
		if id/uint64(d.hub.config.Dispatchers)%heartbeatSlots != slot {
			continue
		}
		if s.lagging {
			d.lag(s)
		}
		if s.lagging && !s.told {
			continue // it believes to be live, and would skip what it was not offered
		}
		if err := s.ref.Tell(client.Heartbeat{Head: d.head, At: now, Every: every}); err != nil && !isFull(err) {
			d.remove(id)
		}
	}
}
