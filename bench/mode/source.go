//go:build linux

package mode

import "github.com/navehub/nave/bench/load"

// A steady source has events due at fixed times, over all topics in turn.
type steady struct {
	pubs    *load.Publishers
	topics  int
	next    int
	pending []load.Request // due, and without a connection yet
	plan    *load.Plan
}

// publishAt publishes at a rate, whatever the server does.
func (r *run) publishAt(rate float64, connections int) (*steady, error) {
	if err := r.pubs.Open(connections); err != nil {
		return nil, err
	}
	s := &steady{pubs: r.pubs, topics: r.topics.N}
	r.pubs.Next = s.take
	s.plan = r.loop.Every(rate, s.due)
	return s, nil
}

func (s *steady) due(due int64) {
	s.pending = append(s.pending, load.Request{Topic: s.next % s.topics, Due: due})
	s.next++
	s.pubs.Work()
}

func (s *steady) take(r *load.Request) bool {
	if len(s.pending) == 0 {
		return false
	}
	*r = s.pending[0]
	s.pending = s.pending[1:]
	return true
}

// stop lets no more become due.
func (s *steady) stop() { s.plan.Stop() }

// settled reports whether all that was due has been answered.
func (s *steady) settled() bool { return len(s.pending) == 0 && s.pubs.Unanswered() == 0 }
