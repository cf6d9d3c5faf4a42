package auth

import (
	"slices"
	"strings"

	"github.com/navehub/nave"
)

// A Grant is what somebody may do. It is not changed once it is in use.
type Grant struct {
	publish, subscribe, admin scope
	source                    string
}

// Filters say in words what a grant is made of.
type Filters struct {
	// Publish are topics that events may be published to, Subscribe those that
	// they may be read from, in whichever way.
	Publish, Subscribe nave.Filters
	// Admin is what may be administered: paths below /v1/admin, as if they were
	// topics ("clients", "clients/*", "revocations"), and "metrics".
	Admin nave.Filters
	// Source, if there is one, is the source that published events have: another
	// is refused. Events of one source and id are stored once, so that who may
	// claim any source can keep others' events from being stored.
	Source string
}

// Everything is the grant of those who may do all that there is.
var Everything = NewGrant(Filters{
	Publish: nave.Filters{"**"}, Subscribe: nave.Filters{"**", "$hub/**"}, Admin: nave.Filters{"**"},
})

// NewGrant compiles a grant. Who may administer health may also follow it.
func NewGrant(f Filters) *Grant {
	if f.Admin.Match("health") {
		f.Subscribe = append(slices.Clip(f.Subscribe), nave.Filter(nave.HealthTopic))
	}
	return &Grant{newScope(f.Publish), newScope(f.Subscribe), newScope(f.Admin), f.Source}
}

// MayPublish reports whether events may be published to the topic.
func (g *Grant) MayPublish(t nave.Topic) bool { return g.publish.match(t) }

// MaySubscribe reports whether all that the filter matches may be read.
func (g *Grant) MaySubscribe(f nave.Filter) bool { return g.subscribe.covers(f) }

// MayRead reports whether events of the topic may be read.
func (g *Grant) MayRead(t nave.Topic) bool { return g.subscribe.match(t) }

// Reads reports whether anything at all may be read.
func (g *Grant) Reads() bool { return len(g.subscribe.filters) > 0 }

// MayAdminister reports whether what is at the path below /v1/admin may be seen and
// changed.
func (g *Grant) MayAdminister(path string) bool { return g.admin.match(nave.Topic(path)) }

// Source is the only source that published events may have, "" for any.
func (g *Grant) Source() string { return g.source }

// A scope is filters, compiled: it is asked for every event that goes to a client.
type scope struct {
	filters  nave.Filters
	all      bool // **, which is all but the hub's own
	exact    map[nave.Topic]struct{}
	prefixes []string     // "cards/" of cards/**
	patterns nave.Filters // the others
}

func newScope(filters nave.Filters) scope {
	s := scope{filters: filters}
	for _, f := range filters {
		prefix := f.Prefix()
		if f == "**" {
			s.all = true
		} else if topic, ok := f.Exact(); ok {
			if s.exact == nil {
				s.exact = make(map[nave.Topic]struct{})
			}
			s.exact[topic] = struct{}{}
		} else if prefix != "" && string(f) == prefix+"**" {
			s.prefixes = append(s.prefixes, prefix)
		} else {
			s.patterns = append(s.patterns, f)
		}
	}
	return s
}

func (s *scope) match(t nave.Topic) bool {
	if s.all && !t.Reserved() {
		return true
	}
	for _, prefix := range s.prefixes {
		if len(t) > len(prefix) && strings.HasPrefix(string(t), prefix) {
			return true
		}
	}
	if _, ok := s.exact[t]; ok {
		return true
	}
	return s.patterns.Match(t)
}

func (s *scope) covers(narrow nave.Filter) bool {
	for _, f := range s.filters {
		if f.Covers(narrow) {
			return true
		}
	}
	return false
}
