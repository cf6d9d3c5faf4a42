package history

// whole judges whether the subscriber saw all that it had to, and batches in one
// piece.
func (j *judge) whole(s *Subscription) {
	at := make([]int32, len(j.events)) // where the event is in the sightings, from 1
	for i, seen := range s.sightings {
		if at[seen.event] == 0 {
			at[seen.event] = int32(i) + 1
		}
	}
	for _, p := range j.Record.publishes {
		j.batch(s, p, at)
	}
}

func (j *judge) batch(s *Subscription, p *Publish, at []int32) {
	due, seen, broken := 0, 0, false
	var last int32
	var first uint64 // where the batch begins, by what was seen of it
	for _, n := range p.events {
		offset := j.place[n]
		if !s.followed(j.events[n].Topic) || offset == 0 {
			continue
		}
		if at[n] == 0 {
			if s.due(offset) {
				due++
				j.found(&j.Lost, "%s never saw %s at %d%s", s.name, j.id(n), offset, known(p))
			}
			continue
		}
		due++
		seen++
		begin := s.sightings[at[n]-1].offset - uint64(j.events[n].i)
		broken = broken || last > 0 && (at[n] != last+1 || begin != first)
		last, first = at[n], begin
	}
	switch {
	case seen > 0 && seen < due:
		j.found(&j.Split, "%s saw %d of the %d events that it follows of the batch of %s", s.name, seen, due, j.id(p.events[0]))
	case broken:
		j.found(&j.Split, "%s saw the batch of %s not in one piece", s.name, j.id(p.events[0]))
	}
}

func known(p *Publish) string {
	if p.acked {
		return ", which was acknowledged"
	}
	return ", which others saw"
}
