package pebblelog

import (
	"strings"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/internal/admit"
)

// maxSegments bounds the marks. With more, any segment counts as marked.
const maxSegments = 1024

const anySegment = ""

// mark marks the first segments of a batch's topics, so that the next run knows
// which readers this one's end has cost memory events. A mark is an offset of 0
// where a horizon may have been, which the next run's will exceed.
func (l *Log) mark(w *write, b *eventlog.Batch) {
	for i := range b.Events {
		segment := firstSegment(string(b.Events[i].Topic))
		if l.hasMark(segment) {
			continue
		}
		if len(l.marked) == maxSegments {
			segment = anySegment
		}
		l.marked[segment] = true
		w.offset(restartKeys, segment, 0)
	}
}

func (l *Log) hasMark(segment string) bool { return l.marked[segment] || l.marked[anySegment] }

// restart turns the marks of the run before into horizons at the newest offset
// that it may have handed out. If its memory is still there, they stay marks.
func (l *Log) restart(w *write, before *Log) error {
	return l.eachOffset(restartKeys, func(segment string, offset uint64) {
		if offset == 0 && before != nil {
			l.marked[segment] = true
			return
		}
		if offset == 0 {
			offset = l.reserved
			w.offset(restartKeys, segment, offset)
		}
		if segment == anySegment {
			w.change(restartKeys, l.restarts.RaiseFloor(offset))
			return
		}
		w.change(restartKeys, l.restarts.Raise(segment, offset))
	})
}

// Oldest is where a reader of these filters can resume; see [eventlog.Log].
func (l *Log) Oldest(filters nave.Filters) uint64 {
	return max(l.horizons.Oldest(filters), l.memory.Oldest(filters), l.restarts.Oldest(firstSegments(filters)))
}

// allows reports whether a reader who has everything up to the offset misses
// nothing of what was there.
func (l *Log) allows(after uint64, filters nave.Filters) bool {
	return l.horizons.Allows(after, filters) &&
		l.memory.Allows(after, filters) &&
		l.restarts.Allows(after, firstSegments(filters))
}

func firstSegment(s string) string {
	segment, _, _ := strings.Cut(s, "/")
	return segment
}

// firstSegments are filters for the first segments of matching topics.
func firstSegments(filters nave.Filters) nave.Filters {
	segments := make(nave.Filters, len(filters))
	for i, f := range filters {
		segments[i] = nave.Filter(firstSegment(string(f)))
	}
	return segments
}

// takeOver goes on with the memory events of the log before, which has ended
// while the process has not. Of what that log wrote and did not know to be
// stored, some may be: it supersedes what is in memory as any durable event does.
func (l *Log) takeOver(before *Log) error {
	if before == nil {
		return nil
	}
	l.memory = before.memory
	events, err := l.db.NewIter(stretch{before.Head(), l.reserved}.bounds())
	if err != nil {
		return err
	}
	defer events.Close()
	for events.First(); events.Valid(); events.Next() {
		e, _, err := readEvent(events)
		if err != nil {
			return err
		}
		if e.Key != "" {
			l.memory.Forget(admit.KeyOf(&e))
		}
	}
	return events.Error()
}
