package history

import (
	"math"
	"slices"
	"strings"

	"github.com/navehub/nave"
)

// Seen is one event as a subscriber got it.
type Seen struct {
	ID     string
	Topic  nave.Topic
	Key    string
	Offset uint64
	I, N   int // in its batch; both 0 of a single event
	// Cursor reports whether a cursor came with it, so that a subscriber which
	// stops here resumes after it. A subscriber that notes none is not judged by
	// where they are.
	Cursor bool
}

// A Subscription is what one subscriber saw and was told.
type Subscription struct {
	record  *Record
	name    string
	filters nave.Filters
	follows map[nave.Topic]bool // the filters' answers so far

	sightings []sighting
	cursors   bool // it notes them
	mayReset  bool
	verdicts  []string
	from      uint64
	until     uint64
	missed    [][2]uint64
}

// A sighting is kept small: there are millions in a long run.
type sighting struct {
	offset uint64
	event  int32
	faults faults
}

// faults are what is wrong with a sighting as such.
type faults uint8

const (
	wrongTopic     faults = 1 << iota // or key
	wrongPlace                        // in its batch
	cursorTooEarly                    // it came inside a batch
	cursorMissing                     // none came at the end of one
)

// Subscriber begins the notes of one that follows the filters from the beginning
// of the log, unless From says otherwise.
func (r *Record) Subscriber(name string, filters nave.Filters) *Subscription {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &Subscription{
		record: r, name: name, filters: filters, follows: make(map[nave.Topic]bool), until: math.MaxUint64,
	}
	r.subscriptions = append(r.subscriptions, s)
	return s
}

// Saw notes an event. They are noted in the order in which they are seen.
func (s *Subscription) Saw(e Seen) {
	r := s.record
	r.mu.Lock()
	defer r.mu.Unlock()
	n, known := r.byID[e.ID]
	if !known {
		n = r.add(event{Event: Event{Topic: e.Topic, Key: e.Key, ID: e.ID}})
	}
	s.sightings = append(s.sightings, sighting{e.Offset, n, s.faults(&r.events[n], e)})
}

func (s *Subscription) faults(sent *event, e Seen) (found faults) {
	if sent.Topic != e.Topic || sent.Key != e.Key {
		found |= wrongTopic
	}
	if sent.publish == nil {
		return found
	}
	batch := sent.publish.events
	if single := len(batch) == 1 && e.N == 0; !single && (e.I != sent.i || e.N != len(batch)) {
		found |= wrongPlace
	}
	return found | s.cursorFault(batch[sent.i+1:], e)
}

// cursorFault judges a cursor, or that there is none, by what comes later in the
// batch: the last that the subscriber follows must have it, and nothing before.
func (s *Subscription) cursorFault(later []int32, e Seen) faults {
	s.cursors = s.cursors || e.Cursor
	last := !slices.ContainsFunc(later, func(n int32) bool { return s.followed(s.record.events[n].Topic) })
	switch {
	case e.Cursor && !last:
		return cursorTooEarly
	case !e.Cursor && last && e.Offset > 0:
		return cursorMissing
	default:
		return 0
	}
}

// Told notes a verdict, the status of a hub.sync: one for each connection.
func (s *Subscription) Told(verdict string) {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	s.verdicts = append(s.verdicts, verdict)
}

// From says that the subscriber follows what comes after the offset.
func (s *Subscription) From(offset uint64) {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	s.from = offset
}

// Until says that the subscriber stops for good at the offset: what comes after it
// is not lost.
func (s *Subscription) Until(offset uint64) {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	s.until = offset
}

// Missed says that the subscriber was told that it misses what is after one offset
// and not after the other, as by a reset: that is not lost.
func (s *Subscription) Missed(after, upTo uint64) {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	s.missed = append(s.missed, [2]uint64{after, upTo})
}

// MayReset says that a reset is no fault: the subscriber follows topics of which a
// crash takes something.
func (s *Subscription) MayReset() {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	s.mayReset = true
}

// followed reports whether the subscriber follows the topic.
func (s *Subscription) followed(t nave.Topic) bool {
	answer, known := s.follows[t]
	if !known {
		answer = s.filters.Match(t)
		s.follows[t] = answer
	}
	return answer
}

// due reports whether the subscriber must see what is at the offset, if it follows
// the topic.
func (s *Subscription) due(offset uint64) bool {
	if offset <= s.from || offset > s.until {
		return false
	}
	for _, m := range s.missed {
		if offset > m[0] && offset <= m[1] {
			return false
		}
	}
	return true
}

// complete reports whether the subscriber sees all that is ever stored in a topic
// that it follows.
func (s *Subscription) complete() bool {
	return s.from == 0 && s.until == math.MaxUint64 && len(s.missed) == 0
}

// resets counts the verdicts that should not be: any reset, and after the first
// connection anything but recovered. It says which is the first of them.
func (s *Subscription) resets() (n, which int) {
	for i, v := range s.verdicts {
		if reset := strings.HasPrefix(v, "reset"); reset && s.mayReset || !reset && (i == 0 || v == "recovered") {
			continue
		}
		if n == 0 {
			which = i
		}
		n++
	}
	return n, which
}
