package pebblelog

import (
	"strings"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
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
		if l.marked[segment] || l.marked[anySegment] {
			continue
		}
		if len(l.marked) == maxSegments {
			segment = anySegment
		}
		l.marked[segment] = true
		w.offset(restartKeys, segment, 0)
	}
}

// restart turns the marks of the run before into horizons at the newest offset
// that it may have handed out.
func (l *Log) restart(w *write) error {
	return l.eachOffset(restartKeys, func(segment string, offset uint64) {
		live := offset == 0
		if live {
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
