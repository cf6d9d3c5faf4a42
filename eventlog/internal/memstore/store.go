// Package memstore holds the events of one durability in RAM. The memory log is
// made of two; the log on disk keeps its memory events in one.
//
// A Store may be read from several goroutines beside one that writes. It knows
// nothing of the log's head: callers say up to where it may be read, so that an
// event can be stored before it is visible.
package memstore

import (
	"sync"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/internal/admit"
	"github.com/navehub/nave/eventlog/internal/horizon"
)

// MaxHorizons is of how many topics a log remembers up to where retention has
// taken their events.
const MaxHorizons = 100_000

// A Store holds events in the order of their offsets.
type Store struct {
	// Set by New, never changed.
	retention eventlog.Retention
	window    time.Duration

	// Raised, under mu, before the events it speaks of go.
	horizons *horizon.Map

	mu     sync.RWMutex
	events queue[*record]
	topics map[nave.Topic]*queue[*record]
	latest map[admit.Key]*record
	ids    ids
	logged int64 // bytes of events
	kept   int64 // bytes of records that live on only as latest
}

type record struct {
	event nave.Event
	time  time.Time // of the commit
	kept  bool      // no longer in events
}

// New makes an empty Store.
func New(retention eventlog.Retention, window time.Duration) *Store {
	return &Store{
		retention: retention,
		window:    window,
		horizons:  horizon.New(MaxHorizons),
		topics:    make(map[nave.Topic]*queue[*record]),
		latest:    make(map[admit.Key]*record),
		ids:       ids{bound: maxIDs, places: make(map[admit.ID]admit.Place)},
	}
}

// Append stores an admitted batch.
func (s *Store) Append(b eventlog.Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.Events {
		s.append(&record{event: b.Events[i], time: b.Time})
	}
}

func (s *Store) append(r *record) {
	e := &r.event
	s.events.push(r)
	s.logged += int64(e.Size())
	topic := s.topics[e.Topic]
	if topic == nil {
		topic = new(queue[*record])
		s.topics[e.Topic] = topic
	}
	topic.push(r)
	if e.Key != "" {
		s.forget(admit.KeyOf(e))
		s.latest[admit.KeyOf(e)] = r
	}
	if e.ID != "" {
		s.ids.add(admit.IDOf(e), admit.PlaceOf(e, r.time.Add(s.window)))
	}
}

// Forget drops a key's latest event from the state. It stays in the log.
func (s *Store) Forget(k admit.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(k)
}

func (s *Store) forget(k admit.Key) {
	if r := s.latest[k]; r != nil {
		delete(s.latest, k)
		if r.kept {
			s.kept -= int64(r.event.Size())
		}
	}
}

// Version is the key's version, 0 if it has none.
func (s *Store) Version(k admit.Key) uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.latest[k]; r != nil {
		return r.event.Offset
	}
	return 0
}

// Latest is the event that made the key's version.
func (s *Store) Latest(k admit.Key) (nave.Event, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.latest[k]; r != nil {
		return r.event, true
	}
	return nave.Event{}, false
}

// Seen is where the ID was appended last, within the window as of now.
func (s *Store) Seen(id admit.ID, now time.Time) (admit.Place, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.ids.seen(id, now)
}

// Oldest is the highest offset of the events of matching topics that retention
// has taken.
func (s *Store) Oldest(filters nave.Filters) uint64 { return s.horizons.Oldest(filters) }

// Allows reports whether a reader who has everything up to the offset misses
// nothing. Ask it after reading.
func (s *Store) Allows(after uint64, filters nave.Filters) bool {
	return s.horizons.Allows(after, filters)
}

// Stats are what the Store holds: the bytes of its events, those of state whose
// events have left, and when the oldest and the newest event were committed.
type Stats struct {
	Logged, Kept int64
	Oldest       time.Time
	Newest       time.Time
}

// Stats reports what the Store holds.
func (s *Store) Stats() Stats {
	s.mu.RLock()
	defer s.mu.RUnlock()
	stats := Stats{Logged: s.logged, Kept: s.kept}
	if n := s.events.len(); n > 0 {
		stats.Oldest = s.events.front().time
		stats.Newest = s.events.live()[n-1].time
	}
	return stats
}
