package memstore

import (
	"time"

	"github.com/navehub/nave/eventlog/internal/admit"
)

// maxIDs bounds the memory for idempotency keys, to about 100 MB, where a whole
// window of a busy hub would not fit.
const maxIDs = 1 << 19

// ids remembers where events with an ID were appended: as many as its bound, of
// which the oldest leave first.
type ids struct {
	bound  int
	places map[admit.ID]admit.Place
	order  queue[named] // as appended, which is about the order of expiry
}

type named struct {
	id    admit.ID
	first uint64
}

func (s *ids) add(id admit.ID, p admit.Place) {
	s.places[id] = p
	s.order.push(named{id, p.First})
	if s.order.len() > s.bound {
		s.drop()
	}
}

func (s *ids) seen(id admit.ID, now time.Time) (admit.Place, bool) {
	p, ok := s.places[id]
	return p, ok && p.Expires.After(now)
}

// sweep drops up to limit expired ids and reports whether it stopped there.
func (s *ids) sweep(now time.Time, limit int) bool {
	for ; limit > 0 && s.order.len() > 0; limit-- {
		oldest := s.order.front()
		p, ok := s.places[oldest.id]
		if ok && p.First == oldest.first && p.Expires.After(now) {
			return false
		}
		s.drop()
	}
	return s.order.len() > 0
}

// drop forgets the oldest, unless its id was appended again since.
func (s *ids) drop() {
	oldest := s.order.front()
	if s.places[oldest.id].First == oldest.first {
		delete(s.places, oldest.id)
	}
	s.order.pop()
}
