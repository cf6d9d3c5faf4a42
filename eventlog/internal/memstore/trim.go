package memstore

import (
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog/internal/admit"
)

// Trim lets go of batches that have passed out of retention, oldest first, until
// about limit events have gone. It returns the tombstones among them that
// were their key's latest, which no longer have a version, and whether there is
// more to do.
func (s *Store) Trim(now time.Time, limit int) (tombstones []nave.Event, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for taken := 0; s.passed(now); taken++ {
		if taken >= limit && s.events.front().event.Batch.I == 0 {
			return tombstones, true
		}
		if r := s.trimOldest(); s.latest[admit.KeyOf(&r.event)] == r {
			if s.keep(r) {
				continue
			}
			tombstones = append(tombstones, r.event)
		}
	}
	return tombstones, s.ids.sweep(now, limit)
}

// passed reports whether the oldest event has to go: because of its batch's age,
// or the log's size, or because its batch has begun to go.
func (s *Store) passed(now time.Time) bool {
	if s.events.len() == 0 {
		return false
	}
	oldest := s.events.front()
	if oldest.event.Batch.I > 0 {
		return true
	}
	return s.retention.Bytes > 0 && s.logged > s.retention.Bytes ||
		s.retention.Age > 0 && now.Sub(oldest.time) > s.retention.Age
}

func (s *Store) trimOldest() *record {
	r := s.events.front()
	s.horizons.Raise(string(r.event.Topic), r.event.Offset)
	s.events.pop()
	s.logged -= int64(r.event.Size())
	topic := s.topics[r.event.Topic]
	topic.pop()
	if topic.len() == 0 {
		delete(s.topics, r.event.Topic)
	}
	return r
}

// keep lets a latest event live on as state. A tombstone does not.
func (s *Store) keep(r *record) bool {
	if r.event.Tombstone() {
		delete(s.latest, admit.KeyOf(&r.event))
		return false
	}
	r.kept = true
	s.kept += int64(r.event.Size())
	return true
}
