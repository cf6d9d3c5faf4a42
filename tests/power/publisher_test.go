package power

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/tests/history"
)

// Few topics and keys, so that publishers meet. Memory topics have a first
// segment of their own: readers of others do not miss anything by a restart.
var (
	durableTopics = []nave.Topic{"cards/1", "cards/2", "lists/1"}
	memoryTopics  = []nave.Topic{"presence/1", "presence/2"}
)

// A few keys change all the time, and many now and then: these are what retention
// keeps as state when their events go.
const (
	busyKeys = 4
	calmKeys = 30
)

type entity struct {
	topic nave.Topic
	key   string
}

// A publisher publishes one batch after the other, and writes down what it was
// told. What it was not told in time it says again in the next run, or gives up.
type publisher struct {
	*world
	name     string
	random   *rand.Rand
	next     int
	unknown  []*attempt
	said     []*attempt // durable, with a yes
	versions map[entity]uint64
}

// An attempt is a batch that is published until there is an answer.
type attempt struct {
	*history.Publish
	events  []nave.Event
	durable bool
	acked   bool
	offsets []uint64
}

func newPublisher(w *world, name string) *publisher {
	return &publisher{world: w, name: name, random: w.stream(name), versions: make(map[entity]uint64)}
}

// publish works until the power is cut, or the hub ends.
func (p *publisher) publish(ctx context.Context, r *run) {
	p.again(ctx, r)
	for r.supply.on() && !r.ending.Load() {
		p.send(ctx, r, p.draw())
	}
}

// again says what has had no answer. Nobody knows of a memory event of another
// run: under the same id it would be another event.
func (p *publisher) again(ctx context.Context, r *run) {
	unknown := p.unknown
	p.unknown = nil
	for _, a := range unknown {
		if a.durable && p.random.IntN(4) > 0 {
			p.send(ctx, r, a)
		}
	}
}

// draw is a new batch, or one that was acknowledged before.
func (p *publisher) draw() *attempt {
	switch p.random.IntN(20) {
	case 0, 1:
		if len(p.said) > 0 {
			return p.said[p.random.IntN(len(p.said))]
		}
		return p.begin(p.one(durableTopics))
	case 2, 3:
		return p.begin(p.some(memoryTopics, 1+p.random.IntN(3))...)
	case 4:
		return p.begin(append(p.some(memoryTopics, 1), p.some(durableTopics, 2)...)...)
	case 5, 6, 7:
		return p.begin(p.some(durableTopics, 2+p.random.IntN(4))...)
	case 8, 9, 10:
		return p.begin(p.conditional(p.one(durableTopics)))
	case 11:
		batch := p.some(durableTopics, 1+p.random.IntN(3))
		batch[0] = p.conditional(batch[0])
		return p.begin(batch...)
	default:
		return p.begin(p.one(durableTopics))
	}
}

func (p *publisher) some(topics []nave.Topic, n int) []nave.Event {
	events := make([]nave.Event, n)
	for i := range events {
		events[i] = p.one(topics)
	}
	return events
}

func (p *publisher) one(topics []nave.Topic) nave.Event {
	p.next++
	e := nave.Event{
		Topic: topics[p.random.IntN(len(topics))], Type: "moved",
		ID: fmt.Sprint(p.name, "-", p.next), Source: "power",
	}
	switch p.random.IntN(8) {
	case 0:
	case 1:
		e.Key = fmt.Sprint("calm-", p.random.IntN(calmKeys))
	default:
		e.Key = fmt.Sprint("busy-", p.random.IntN(busyKeys))
	}
	if p.random.IntN(12) > 0 || p.retention { // a key that retention forgets has no version
		e.Data = fmt.Appendf(nil, `{"id":%q,"pad":%q}`, e.ID, strings.Repeat("x", p.random.IntN(p.padding)))
	}
	return e
}

// conditional asks for the version that the publisher believes in, or for one that
// it makes up.
func (p *publisher) conditional(e nave.Event) nave.Event {
	if e.Key == "" {
		e.Key = "busy-0"
	}
	version := p.versions[entity{e.Topic, e.Key}]
	if p.random.IntN(6) == 0 {
		version = p.random.Uint64N(version + 2)
	}
	e.IfVersion = &version
	return e
}

func (p *publisher) begin(events ...nave.Event) *attempt {
	a := &attempt{events: events}
	sent := make([]history.Event, len(events))
	for i, e := range events {
		sent[i] = history.Event{Topic: e.Topic, Key: e.Key, ID: e.ID, IfVersion: e.IfVersion}
		a.durable = a.durable || slices.Contains(durableTopics, e.Topic)
	}
	a.Publish = p.record.Begin(sent...)
	p.world.sent(a)
	return a
}

// send publishes the batch. What is answered after the cut was never said.
func (p *publisher) send(ctx context.Context, r *run, a *attempt) {
	got, err := r.hub.Publish(ctx, slices.Clone(a.events)...)
	var conflict *nave.ConflictError
	switch {
	case !r.supply.on():
		if !a.acked {
			p.unknown = append(p.unknown, a)
			p.tally.add(rowUnanswered, 1)
		}
	case err == nil:
		p.heard(a, got)
	case errors.As(err, &conflict):
		c := conflict.Conflicts[0]
		p.versions[entity{c.Topic, c.Key}] = c.Version
		a.Conflicted(c.Version)
	case nave.CodeOf(err) == nave.CodeDraining && r.ending.Load():
		if !a.acked {
			p.unknown = append(p.unknown, a)
		}
	default:
		p.world.fault("publishes refused for no reason", "%s: %v", a.events[0].ID, err)
	}
	r.count()
}

// heard takes note of a yes.
func (p *publisher) heard(a *attempt, got hub.Published) {
	offsets := make([]uint64, len(got.Events))
	for i, placed := range got.Events {
		offsets[i] = placed.Offset
		if e := &a.events[i]; e.Key != "" {
			of := entity{e.Topic, e.Key}
			p.versions[of] = max(p.versions[of], placed.Offset)
		}
	}
	switch {
	case a.acked && !got.Repeat:
		p.world.fault("stored again instead of repeated", "%s at %v", a.events[0].ID, offsets)
	case !a.acked && got.Repeat:
		p.tally.add(rowStored, 1)
	}
	a.Acked(offsets)
	a.offsets = offsets
	if !a.acked && a.durable {
		p.said = append(p.said, a)
	}
	a.acked = true
	p.world.stored(a, offsets)
}
