package actors

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/navehub/nave/supervision"
)

// KindStats is what the actors of one kind do.
type KindStats struct {
	Kind supervision.Kind
	// Active is how many there are now.
	Active int
	// Started and Restarts count actors, and incarnations after the first.
	Started, Restarts uint64
	// Refused counts messages that did not fit into a mailbox.
	Refused uint64
	// Depth is how many messages wait now, in all mailboxes.
	Depth int
	// MaxDepth is the most that waited in one mailbox since the last call.
	MaxDepth int
	// Bytes is the size of the data messages that wait now.
	Bytes int64
}

// MailboxStats is what waits in one mailbox.
type MailboxStats struct {
	// Data and Control messages wait now; the data messages have that many Bytes.
	Data, Control int
	Bytes         int64
	// Refused counts messages that did not fit.
	Refused uint64
}

// A kind lists the actors of one kind.
type kind struct {
	name     supervision.Kind       // never changed
	limits   atomic.Pointer[Limits] // of the latest actor
	restarts atomic.Uint64

	// Owned by System.mu.
	cells   *cell
	active  int
	started uint64
	refused uint64 // by those that have ended
	peak    int    // of those that have ended since the last call of Stats
}

// Stats returns the figures of every kind that there was an actor of, by name.
// It visits every mailbox, so that telling a message need not count.
func (s *System) Stats() []KindStats { return s.stats(true) }

// Peek is Stats, but the next call's MaxDepth does not begin with it.
func (s *System) Peek() []KindStats { return s.stats(false) }

func (s *System) stats(anew bool) []KindStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := make([]KindStats, 0, len(s.kinds))
	for _, k := range s.kinds {
		stats = append(stats, k.stats(anew))
	}
	slices.SortFunc(stats, func(a, b KindStats) int { return cmp.Compare(a.Kind, b.Kind) })
	return stats
}

func (k *kind) stats(anew bool) KindStats {
	st := KindStats{
		Kind: k.name, Active: k.active, MaxDepth: k.peak,
		Started: k.started, Restarts: k.restarts.Load(), Refused: k.refused,
	}
	if anew {
		k.peak = 0
	}
	for c := k.cells; c != nil; c = c.next {
		m, peak := c.measure(anew)
		st.Depth += m.Data + m.Control
		st.MaxDepth = max(st.MaxDepth, peak)
		st.Bytes += m.Bytes
		st.Refused += m.Refused
	}
	return st
}

func (s *System) kindOf(name supervision.Kind) *kind {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.kinds[name]
	if k == nil {
		k = &kind{name: name}
		s.kinds[name] = k
	}
	return k
}

// limitsOf is a copy of the limits, with defaults, that actors share: those of a
// kind have the same, most often.
func (k *kind) limitsOf(l Limits) *Limits {
	l = l.withDefaults()
	if latest := k.limits.Load(); latest != nil && *latest == l {
		return latest
	}
	k.limits.Store(&l)
	return &l
}

func (s *System) add(c *cell) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return ErrStopped
	}
	k := c.kind
	c.next = k.cells
	if c.next != nil {
		c.next.prev = c
	}
	k.cells = c
	k.active++
	k.started++
	return nil
}

func (s *System) remove(c *cell) {
	m, peak := c.measure(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	k := c.kind
	k.active--
	k.refused += m.Refused
	k.peak = max(k.peak, peak)
	if c.next != nil {
		c.next.prev = c.prev
	}
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		k.cells = c.next
	}
	c.prev, c.next = nil, nil
}
