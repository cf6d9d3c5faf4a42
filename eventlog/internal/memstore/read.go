package memstore

import (
	"cmp"
	"slices"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/internal/page"
	"github.com/navehub/nave/eventlog/internal/state"
)

// Following more topics than maxFollowed, or looking for them among more than
// maxSearched, costs more than going through the events in order.
const (
	maxFollowed = 128
	maxSearched = 1024
)

// Read returns a page of matching events in (after, upTo].
func (s *Store) Read(after, upTo uint64, filters nave.Filters, limit eventlog.Limit) eventlog.Page {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := page.NewBuilder(limit)
	if topics, few := s.follow(after, filters); few {
		readTopics(b, topics, upTo)
	} else {
		readAll(b, tail(s.events.live(), after), upTo, filters)
	}
	return b.Page(upTo)
}

func readAll(b *page.Builder, records []*record, upTo uint64, filters nave.Filters) {
	for _, r := range records {
		if r.event.Offset > upTo {
			return
		}
		if filters.Match(r.event.Topic) && !b.Add(r.event) {
			return
		}
	}
}

// readTopics merges the topics' events by offset.
func readTopics(b *page.Builder, topics [][]*record, upTo uint64) {
	for {
		var next *[]*record
		for i := range topics {
			t := &topics[i]
			if len(*t) > 0 && (next == nil || (*t)[0].event.Offset < (*next)[0].event.Offset) {
				next = t
			}
		}
		if next == nil || (*next)[0].event.Offset > upTo || !b.Add((*next)[0].event) {
			return
		}
		*next = (*next)[1:]
	}
}

// follow finds the events after the offset of each topic that the filters match,
// if these are few.
func (s *Store) follow(after uint64, filters nave.Filters) (topics [][]*record, few bool) {
	names, few := s.matching(filters)
	if !few {
		return nil, false
	}
	for _, name := range names {
		if t := s.topics[name]; t != nil {
			topics = append(topics, tail(t.live(), after))
		}
	}
	return topics, true
}

func (s *Store) matching(filters nave.Filters) (names []nave.Topic, few bool) {
	for _, f := range filters {
		if name, exact := f.Exact(); exact {
			names = append(names, name)
			continue
		}
		if len(s.topics) > maxSearched {
			return nil, false
		}
		for name := range s.topics {
			if f.Match(name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return names, len(names) <= maxFollowed
}

// tail is the records after the offset.
func tail(records []*record, after uint64) []*record {
	i, found := slices.BinarySearchFunc(records, after, func(r *record, offset uint64) int {
		return cmp.Compare(r.event.Offset, offset)
	})
	if found {
		i++
	}
	return records[i:]
}

// State is the latest event of each matching key, tombstones too, ordered by
// topic and key.
func (s *Store) State(filters nave.Filters) []nave.Event {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var events []nave.Event
	for k, r := range s.latest {
		if filters.Match(k.Topic) {
			events = append(events, r.event)
		}
	}
	slices.SortFunc(events, func(a, b nave.Event) int { return state.Compare(&a, &b) })
	return events
}
