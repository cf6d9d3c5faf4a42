package history

import "slices"

// Judge compares what everybody wrote down. It is called when all subscribers
// have caught up.
func (r *Record) Judge() Findings {
	r.mu.Lock()
	defer r.mu.Unlock()
	j := &judge{
		Record: r,
		place:  make([]uint64, len(r.events)),
		seenAt: make([]uint64, len(r.events)),
		holder: make(map[uint64]int32),
		marked: make(map[mark]bool),
	}
	j.publishes()
	for _, s := range r.subscriptions {
		j.sightings(s)
	}
	j.infer()
	for _, s := range r.subscriptions {
		j.whole(s)
	}
	j.conditions()
	return j.Findings
}

type judge struct {
	*Record
	Findings
	place  []uint64         // of each event that is stored: where, 0 if it is not or is transient
	seenAt []uint64         // of each event that was seen: where first, by anybody
	holder map[uint64]int32 // the event at each offset
	marked map[mark]bool    // what is counted already
}

// A mark keeps one fault of one event from being counted for every subscriber.
type mark struct {
	n     *int
	event int32
}

// once counts a fault of an event if it is not counted yet.
func (j *judge) once(n *int, event int32, format string, args ...any) {
	if m := (mark{n, event}); !j.marked[m] {
		j.marked[m] = true
		j.found(n, format, args...)
	}
}

func (j *judge) id(event int32) string { return j.events[event].ID }

// publishes takes what the publishers were told.
func (j *judge) publishes() {
	for _, p := range j.Record.publishes {
		j.outcome(p)
		j.Repeats += p.repeats
		if p.moved != "" {
			j.once(&j.Moved, p.events[0], "%s was acknowledged at %v and %s", j.id(p.events[0]), p.offsets, p.moved)
		}
		if !p.acked {
			continue
		}
		if !consecutive(p) {
			j.found(&j.Split, "the %d events of the batch of %s were acknowledged at %v", len(p.events), j.id(p.events[0]), p.offsets)
		}
		for i, offset := range p.offsets[:min(len(p.offsets), len(p.events))] {
			if offset > 0 {
				j.put(p.events[i], offset)
			}
		}
	}
}

func (j *judge) outcome(p *Publish) {
	switch {
	case p.acked:
		j.Acked++
	case p.refused && len(p.conditional()) > 0:
		j.Conflicts++
	case p.refused:
		j.Refused++
	default:
		j.Unknown++
	}
}

func consecutive(p *Publish) bool {
	if len(p.offsets) != len(p.events) {
		return false
	}
	for i, offset := range p.offsets {
		if p.offsets[0] > 0 && offset != p.offsets[0]+uint64(i) {
			return false
		}
	}
	return true
}

// put notes that the event is at the offset.
func (j *judge) put(event int32, offset uint64) {
	if j.place[event] == 0 {
		j.place[event] = offset
		j.Stored++
	}
	holder, taken := j.holder[offset]
	switch {
	case !taken:
		j.holder[offset] = event
	case holder != event:
		j.once(&j.ReusedOffset, event, "offset %d is that of %s and of %s", offset, j.id(holder), j.id(event))
	}
}

// sightings judges what one subscriber saw, each thing by itself and in its order.
func (j *judge) sightings(s *Subscription) {
	first := make([]uint64, len(j.events)) // where the subscriber saw an event first
	offsets := make(map[uint64]bool, len(s.sightings))
	last := uint64(0)
	for _, at := range s.sightings {
		j.Deliveries++
		j.sent(s, at)
		if at.offset == 0 {
			continue
		}
		before := first[at.event]
		if before > 0 || offsets[at.offset] {
			j.found(&j.Double, "%s saw %s at %d: the id or the offset for the second time", s.name, j.id(at.event), at.offset)
		}
		if at.offset <= last {
			j.found(&j.Disorder, "%s saw %s at %d after something at %d", s.name, j.id(at.event), at.offset, last)
		}
		j.placed(s, at, before > 0)
		if before == 0 {
			first[at.event] = at.offset
		}
		offsets[at.offset] = true
		last = max(last, at.offset)
	}
	if n, which := s.resets(); n > 0 {
		j.found(&j.Resets, "%s was told %q on connection %d", s.name, s.verdicts[which], which+1)
		j.Resets += n - 1
	}
}

// sent checks that what was seen is what somebody sent.
func (j *judge) sent(s *Subscription, at sighting) {
	e := &j.events[at.event]
	switch {
	case e.publish == nil:
		j.once(&j.Phantom, at.event, "%s saw %q, which nobody has sent", s.name, e.ID)
	case e.publish.refused && !e.publish.acked:
		j.once(&j.Phantom, at.event, "%s saw %s at %d, which was refused", s.name, e.ID, at.offset)
	case at.faults&wrongTopic != 0:
		j.once(&j.Phantom, at.event, "%s saw %s with another topic or key than it was sent with", s.name, e.ID)
	}
	if at.faults&wrongTopic == 0 && !s.followed(e.Topic) {
		j.found(&j.Stray, "%s saw %s, whose topic %s it does not follow", s.name, e.ID, e.Topic)
	}
	if at.faults&wrongPlace != 0 {
		j.once(&j.Split, at.event, "%s saw %s at another place in its batch than it was sent at", s.name, e.ID)
	}
	switch {
	case at.faults&cursorTooEarly != 0:
		j.once(&j.Split, at.event, "%s got a cursor with %s, which is not the last that it gets of that batch", s.name, e.ID)
	case at.faults&cursorMissing != 0 && s.cursors:
		j.once(&j.Split, at.event, "%s got no cursor with %s, which is the last that it gets of that batch", s.name, e.ID)
	}
}

// placed compares where something was seen with what its publisher and others say.
func (j *judge) placed(s *Subscription, at sighting, again bool) {
	e := &j.events[at.event]
	if e.publish != nil && e.publish.acked && j.place[at.event] > 0 && j.place[at.event] != at.offset {
		j.once(&j.Moved, at.event, "%s saw %s at %d; it was acknowledged at %d", s.name, e.ID, at.offset, j.place[at.event])
	}
	j.put(at.event, at.offset)
	switch other := j.seenAt[at.event]; {
	case other == 0:
		j.seenAt[at.event] = at.offset
	case other != at.offset:
		j.once(&j.Doubled, at.event, "%s is at %d and at %d", e.ID, other, at.offset)
		if !again {
			j.found(&j.Disorder, "%s saw %s at %d, another subscriber saw it at %d", s.name, e.ID, at.offset, other)
		}
	}
}

// infer places the rest of each batch of which something is known to be stored,
// since a batch is stored whole.
func (j *judge) infer() {
	for _, p := range j.Record.publishes {
		i := slices.IndexFunc(p.events, func(n int32) bool { return j.place[n] > 0 })
		if i < 0 {
			continue
		}
		known := j.place[p.events[i]]
		for k, n := range p.events {
			if j.place[n] == 0 && known+uint64(k) > uint64(i) {
				j.put(n, known+uint64(k)-uint64(i))
			}
		}
	}
}
