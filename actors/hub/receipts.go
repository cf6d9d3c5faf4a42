package hub

import (
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/presence"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/receipt"
	"github.com/navehub/nave/telemetry"
)

// defaultClass is the class of topics that no rule names.
const defaultClass = "default"

// Classes are what receipts are told apart by: the filters of rules, and those topics
// that none of them matches.
func Classes(rules []TopicRule) []string {
	all := []string{defaultClass}
	for _, r := range rules {
		all = append(all, string(r.Filter))
	}
	return all
}

func (c *Config) class(t nave.Topic) string {
	if f := c.rule(t).Filter; f != "" {
		return string(f)
	}
	return defaultClass
}

// receiptsWanted says that a receipt is wanted of every so manieth event; 0 is of none.
// It is the first that is given up.
func (h *Hub) receiptsWanted() int {
	if h.config.Receipts <= 0 || !h.Level().Has(nave.Receipts) {
		return 0
	}
	return max(1, int(math.Round(1/min(h.config.Receipts, 1))))
}

// Receive takes what a client says of events that it has received. What cannot be true,
// is too old, or is of no concern to who says it, is counted and left out.
func (h *Hub) Receive(r receipt.Report, who *auth.Identity) {
	frames, events := h.sighted(&r, who)
	for i, l := range receipt.Measure(r, events) {
		if l == nil {
			h.telemetry.ReceiptLeftOut(telemetry.ReceiptAbsurd, 1)
			continue
		}
		e := &frames[i].Event
		if !h.receipts.first(sighting{whoOf(who), r.Connection, e.Offset}) {
			h.telemetry.ReceiptLeftOut(telemetry.ReceiptAgain, 1)
			continue
		}
		h.telemetry.Received(telemetry.Receipt{
			Event: e, Class: h.config.class(e.Topic), Connection: r.Connection, Fanout: frames[i].Fanout,
			Accepted: events[i].Accepted, Received: l.Received, Rendered: l.Rendered, Error: l.Error, Moved: l.Moved,
		})
	}
}

// sighted leaves those receipts in the report that are of events that the hub still
// has at hand, asked about, and may tell the caller of. It returns them.
func (h *Hub) sighted(r *receipt.Report, who *auth.Identity) (frames []*frame.Frame, events []receipt.Event) {
	every := uint64(h.receiptsWanted())
	stream, streams := h.registry.Snapshot().Client(strconv.FormatUint(r.Connection, 10))
	foreign := streams && whoOf(stream.Who) != whoOf(who)
	kept := r.Receipts[:0]
	for _, one := range r.Receipts {
		var f *frame.Frame
		var committed time.Time
		why := telemetry.ReceiptUnknown
		switch {
		case every == 0 || one.Event%every != 0:
			why = telemetry.ReceiptUnasked
		case foreign:
			why = telemetry.ReceiptForbidden
		default:
			f, committed = h.recent.find(one.Event)
		}
		switch {
		case f == nil:
		case !who.Grant.MayRead(f.Event.Topic), streams && !stream.Filters.Match(f.Event.Topic):
			f, why = nil, telemetry.ReceiptForbidden
		case streams && f.Accepted.Before(stream.Connected):
			f, why = nil, telemetry.ReceiptReplayed
		}
		if f == nil {
			h.telemetry.ReceiptLeftOut(why, 1)
			continue
		}
		kept, frames = append(kept, one), append(frames, f)
		events = append(events, receipt.Event{Accepted: f.Accepted, Committed: committed})
	}
	r.Receipts = kept
	return frames, events
}

// A sighting is an event that somebody has received on a connection.
type sighting struct {
	who        presence.Who
	connection uint64
	event      uint64
}

// sightings remembers the latest, so that each counts once.
type sightings struct {
	mu          sync.Mutex
	new, before map[sighting]struct{}
}

// mostSightings are remembered at least, and twice as many at most.
const mostSightings = 16 << 10

// first reports whether it has not been there before.
func (s *sightings) first(one sighting) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, again := s.new[one]; again {
		return false
	}
	if _, again := s.before[one]; again {
		return false
	}
	if s.new == nil || len(s.new) == mostSightings {
		s.new, s.before = make(map[sighting]struct{}), s.new
	}
	s.new[one] = struct{}{}
	return true
}
