package history

import (
	"slices"

	"github.com/navehub/nave"
)

// key names an entity: versions are its.
type key struct {
	topic nave.Topic
	key   string
}

// A chain is all that is stored of a key.
type chain struct {
	offsets []uint64 // rising
	open    bool     // some of it may be unknown
}

// before is the key's version before the offset.
func (c *chain) before(offset uint64) uint64 {
	i, _ := slices.BinarySearch(c.offsets, offset)
	if i == 0 {
		return 0
	}
	return c.offsets[i-1]
}

// conditions checks that every event with a condition that was accepted found the
// version that it asked for, and that refusals told the truth. A key of which
// something may be stored that nobody saw cannot be judged.
func (j *judge) conditions() {
	chains := j.chains()
	for _, p := range j.Record.publishes {
		if p.conflict != nil {
			j.refusal(chains, p)
		}
		first := j.place[p.events[0]]
		if first == 0 {
			continue
		}
		for _, n := range p.events {
			e := &j.events[n]
			c := chains[key{e.Topic, e.Key}]
			if e.IfVersion == nil || c.open {
				continue
			}
			// The conditions of a batch are about what was before it.
			if v := c.before(first); v != *e.IfVersion {
				j.found(&j.BrokenCondition, "%s was accepted at %d if %s in %s has version %d; it had %d",
					e.ID, j.place[n], e.Key, e.Topic, *e.IfVersion, v)
			}
		}
	}
}

func (j *judge) refusal(chains map[key]*chain, p *Publish) {
	conditional := p.conditional()
	if len(conditional) != 1 {
		return
	}
	e := conditional[0]
	c := chains[key{e.Topic, e.Key}]
	_, had := slices.BinarySearch(c.offsets, *p.conflict)
	switch {
	case c.open:
	case *p.conflict == *e.IfVersion:
		j.found(&j.BrokenCondition, "%s was refused although %s in %s had the version %d", e.ID, e.Key, e.Topic, *p.conflict)
	case !had && *p.conflict != 0:
		j.found(&j.BrokenCondition, "%s was refused since %s in %s had version %d, which it never had", e.ID, e.Key, e.Topic, *p.conflict)
	}
}

func (j *judge) chains() map[key]*chain {
	chains := make(map[key]*chain)
	observed := make(map[nave.Topic]bool)
	for n, e := range j.events {
		of := key{e.Topic, e.Key}
		if chains[of] == nil {
			chains[of] = new(chain)
		}
		if _, asked := observed[e.Topic]; !asked {
			observed[e.Topic] = j.observed(e.Topic)
		}
		if j.place[n] == 0 && e.publish != nil && !e.publish.refused && !observed[e.Topic] {
			chains[of].open = true
		}
	}
	for offset, n := range j.holder {
		c := chains[key{j.events[n].Topic, j.events[n].Key}]
		c.offsets = append(c.offsets, offset)
	}
	for _, c := range chains {
		slices.Sort(c.offsets)
	}
	return chains
}

// observed reports whether somebody sees all that is stored in the topic.
func (j *judge) observed(t nave.Topic) bool {
	return slices.ContainsFunc(j.subscriptions, func(s *Subscription) bool { return s.complete() && s.followed(t) })
}
