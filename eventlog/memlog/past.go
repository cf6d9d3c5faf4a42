package memlog

import (
	"fmt"
	"iter"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog/internal/admit"
	"github.com/navehub/nave/eventlog/internal/state"
)

// past shows the log to admit. A key's latest event is in one of the stores.
type past struct{ l *Log }

func (p past) Version(k admit.Key) (uint64, error) {
	return max(p.l.durable.Version(k), p.l.memory.Version(k)), nil
}

func (p past) Latest(k admit.Key) (nave.Event, error) {
	if e, ok := p.l.durable.Latest(k); ok {
		return e, nil
	}
	if e, ok := p.l.memory.Latest(k); ok {
		return e, nil
	}
	return nave.Event{}, fmt.Errorf("%s in %s has a version but no event", k.Key, k.Topic)
}

func (p past) Seen(id admit.ID, now time.Time) (admit.Place, bool, error) {
	if place, ok := p.l.durable.Seen(id, now); ok {
		return place, true, nil
	}
	place, ok := p.l.memory.Seen(id, now)
	return place, ok, nil
}

// snapshot is a copy of the latest events, in order.
type snapshot struct {
	offset          uint64
	durable, memory []nave.Event
}

func (s *snapshot) Offset() uint64 { return s.offset }

func (s *snapshot) Events() iter.Seq2[nave.Event, error] {
	durable := func(yield func(nave.Event, error) bool) {
		for _, e := range s.durable {
			if !yield(e, nil) {
				return
			}
		}
	}
	return state.Merge(durable, s.memory)
}

func (s *snapshot) Close() error { return nil }
