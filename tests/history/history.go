// Package history judges a hub from the outside: by what its publishers and its
// subscribers wrote down.
//
// A publisher notes each batch before it sends it, and then what it was told. An
// outcome that nobody was told stays unknown: the batch may or may not have been
// stored, but if it was, then whole, and once. A subscriber notes what it saw, in
// the order in which it saw it. When all have caught up, Judge compares.
//
// A record begins with an empty log and has all that was published to it. Every
// event has an id of its own, which is how it is recognised. Events without
// offset, those of transient topics, are only checked to be what somebody sent.
package history

import (
	"fmt"
	"slices"
	"sync"

	"github.com/navehub/nave"
)

// An Event is one event of a batch as its publisher sent it. IDs are unique in a
// run; a retry has the same.
type Event struct {
	Topic     nave.Topic
	Key, ID   string
	IfVersion *uint64
}

// A Record is what all publishers and subscribers of a run wrote down. It is safe
// for concurrent use, and so is all that it hands out.
type Record struct {
	mu            sync.Mutex
	events        []event
	byID          map[string]int32 // in events
	publishes     []*Publish
	subscriptions []*Subscription
}

// event is one that was sent, or was only seen: then nobody's.
type event struct {
	Event
	publish *Publish
	i       int // in its batch
}

// New begins a record.
func New() *Record { return &Record{byID: make(map[string]int32)} }

// A Publish is a batch and what its publisher was told of it.
type Publish struct {
	record *Record
	events []int32 // in the record's

	offsets  []uint64 // of the first yes
	acked    bool
	repeats  int    // further times of yes
	moved    string // how a later answer differs from the first, if one does
	refused  bool
	conflict *uint64 // the version that the refusal told, if it told one
}

// Begin notes that a publisher is about to send this batch. It is called once for
// a batch, also if that will be tried several times.
func (r *Record) Begin(events ...Event) *Publish {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &Publish{record: r}
	for i, e := range events {
		if known, ok := r.byID[e.ID]; ok && r.events[known].publish != nil {
			panic(fmt.Sprintf("history: the id %q is begun twice", e.ID))
		}
		p.events = append(p.events, r.add(event{e, p, i}))
	}
	r.publishes = append(r.publishes, p)
	return p
}

func (r *Record) add(e event) int32 {
	n := int32(len(r.events))
	r.events = append(r.events, e)
	r.byID[e.ID] = n
	return n
}

// Acked notes a yes: where its events went. It is called again when the batch was
// sent again and answered again.
func (p *Publish) Acked(offsets []uint64) {
	p.record.mu.Lock()
	defer p.record.mu.Unlock()
	switch {
	case !p.acked:
		p.acked, p.offsets = true, slices.Clone(offsets)
		if p.refused {
			p.moved = "refused before"
		}
		return
	case !slices.Equal(p.offsets, offsets):
		p.moved = fmt.Sprintf("%v when sent again", offsets)
	}
	p.repeats++
}

// Refused notes a definite no, as 409 and other 4xx are: nothing of the batch is
// stored, and nothing of it may ever be seen.
func (p *Publish) Refused() {
	p.record.mu.Lock()
	defer p.record.mu.Unlock()
	p.refuse()
}

// Conflicted notes a refusal because a key had this version. If the batch has
// several conditions it is not known whose, and it is no more than a refusal.
func (p *Publish) Conflicted(version uint64) {
	p.record.mu.Lock()
	defer p.record.mu.Unlock()
	p.refuse()
	p.conflict = &version
}

func (p *Publish) refuse() {
	p.refused = true
	if p.acked {
		p.moved = "refused when sent again"
	}
}

// conditional are the events with a condition.
func (p *Publish) conditional() (all []event) {
	for _, n := range p.events {
		if e := p.record.events[n]; e.IfVersion != nil {
			all = append(all, e)
		}
	}
	return all
}
