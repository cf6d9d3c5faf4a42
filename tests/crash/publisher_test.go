package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/history"
)

const (
	// pause is between two publishes of a publisher, on average.
	pause = 20 * time.Millisecond
	// patience bounds how long an answer is waited for, over crashes.
	patience = time.Minute
)

// A publisher publishes one thing after the other. It knows of versions only what
// its own answers told.
type publisher struct {
	*run
	n        int
	rng      *rand.Rand
	topics   []string
	serial   int
	versions map[entity]uint64
	answered []sent // some of what had a yes, to be sent again
}

// sent is a batch that had a yes.
type sent struct {
	notes  *history.Publish
	events []harness.Event
}

func newPublisher(r *run, n int, topics []string) *publisher {
	return &publisher{run: r, n: n, rng: r.random(n), topics: topics, versions: make(map[entity]uint64)}
}

// A share is how often something is done, compared with others.
type share struct {
	weight int
	do     func()
}

func (p *publisher) durable() []share {
	return []share{
		{45, func() { p.surely(p.event()) }},
		{20, func() { p.surely(p.event(), p.event(), p.event()) }},
		{15, p.compareAndSet},
		{4, p.compareAndSetBatch},
		{10, p.again},
		{5, p.giveUp},
		{2, p.invalid},
		{1, p.halfKnown},
	}
}

// memory events are tried once: after a crash the hub knows neither them nor their
// ids, and would store them anew beside what was seen before.
func (p *publisher) memory() []share {
	return []share{
		{3, func() { p.once(patience, p.event()) }},
		{1, func() { p.once(patience, p.event(), p.event(), p.event()) }},
	}
}

// publish does one of these after the other until ctx ends.
func (p *publisher) publish(ctx context.Context, shares []share) {
	total := 0
	for _, s := range shares {
		total += s.weight
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(below(p.rng, 2*pause)):
		}
		at := p.rng.IntN(total)
		for _, s := range shares {
			if at -= s.weight; at < 0 {
				s.do()
				break
			}
		}
	}
}

// event makes one: half of them about a key, which some of these remove.
func (p *publisher) event() harness.Event {
	p.serial++
	id := fmt.Sprintf("%d-%d", p.n, p.serial)
	e := harness.Event{Topic: p.topics[p.rng.IntN(len(p.topics))], Type: "tick", ID: id, Source: "crash", Data: id}
	if p.rng.IntN(2) == 0 {
		e.Key = fmt.Sprintf("cold-%d", p.rng.IntN(20))
		if p.rng.IntN(10) == 0 {
			e.Data = nil
		}
	}
	return e
}

// surely sends the events until there is an answer.
func (p *publisher) surely(events ...harness.Event) harness.Answer {
	a := p.send(p.record.Begin(harness.Sent(events...)...), events)
	if a.Repeat {
		p.found.Add(1)
	}
	return a
}

func (p *publisher) send(notes *history.Publish, events []harness.Event) harness.Answer {
	ctx, cancel := context.WithTimeout(p.patient, patience)
	defer cancel()
	a, tries, err := harness.PublishSurely(ctx, p.hub.URL("/v1/events"), events...)
	p.tries.Add(int64(tries - 1))
	if err != nil {
		p.mistake("publish %s: no answer in %v and %d tries: %v", events[0].ID, patience, tries, err)
		return a
	}
	a.Note(notes)
	p.learn(a, events)
	if a.Status == http.StatusOK {
		p.keep(sent{notes, events})
	} else if a.Code != "conflict" {
		p.mistake("publish %s: %d %s %s", events[0].ID, a.Status, a.Code, a.Detail)
	}
	return a
}

// learn remembers what an answer says about versions.
func (p *publisher) learn(a harness.Answer, events []harness.Event) {
	for i, placed := range a.Events {
		if events[i].Key != "" {
			p.versions[entity{events[i].Topic, events[i].Key}] = placed.Version
		}
	}
	for _, c := range a.Conflicts {
		p.versions[entity{c.Topic, c.Key}] = c.Version
	}
}

// keep keeps it among some that are as likely old as new.
func (p *publisher) keep(s sent) {
	const most = 40
	if len(p.answered) < most {
		p.answered = append(p.answered, s)
		return
	}
	p.answered[p.rng.IntN(most)] = s
}

// again sends what had a yes once more: it must be answered as it was.
func (p *publisher) again() {
	if len(p.answered) == 0 {
		return
	}
	before := p.answered[p.rng.IntN(len(p.answered))]
	if a := p.send(before.notes, before.events); !a.Repeat && p.unlike.Add(1) <= 3 {
		p.t.Errorf("%s was acknowledged, and is answered %d %s when it is sent again, not as a repeat",
			before.events[0].ID, a.Status, a.Code)
	}
}

// hot makes an event about a key that many write, if it has the version that the
// publisher knows.
func (p *publisher) hot(key string) harness.Event {
	e := p.event()
	e.Topic, e.Key = topics[p.rng.IntN(3)], key
	version := p.versions[entity{e.Topic, e.Key}]
	e.IfVersion = &version
	return e
}

// compareAndSet tries until it is the first writer, with a new event each time.
func (p *publisher) compareAndSet() {
	e := p.hot(fmt.Sprintf("hot-%d", p.rng.IntN(2)))
	for range 4 {
		if p.surely(e).Status != http.StatusConflict {
			return
		}
		next := p.event()
		version := p.versions[entity{e.Topic, e.Key}]
		e.ID, e.Data, e.IfVersion = next.ID, next.Data, &version
	}
}

// compareAndSetBatch has two conditions, and something else between.
func (p *publisher) compareAndSetBatch() { p.surely(p.hot("hot-0"), p.event(), p.hot("hot-1")) }

// giveUp leaves in the middle: perhaps before the hub heard of it, perhaps when
// all was done.
func (p *publisher) giveUp() {
	events := []harness.Event{p.event(), p.event(), p.event()}
	p.once(below(p.rng, 4*time.Millisecond), events[:1+2*p.rng.IntN(2)]...)
}

// once tries once, for so long.
func (p *publisher) once(patience time.Duration, events ...harness.Event) {
	notes := p.record.Begin(harness.Sent(events...)...)
	ctx, cancel := context.WithTimeout(p.patient, patience)
	defer cancel()
	a, err := harness.Publish(ctx, p.hub.URL("/v1/events"), events...)
	if err != nil {
		return
	}
	a.Note(notes)
	p.learn(a, events)
}

// invalid is a batch whose last event cannot be stored, so that nothing of it is.
func (p *publisher) invalid() {
	events := []harness.Event{p.event(), p.event(), p.event()}
	events[2].Topic, events[2].Key = "$hub/mine", ""
	p.refused("invalid", events, harness.Sent(events...))
}

// halfKnown is a batch with an event that is stored already and a new one: which of
// the two outcomes should it have? Nothing of it is stored.
func (p *publisher) halfKnown() {
	if len(p.answered) == 0 {
		return
	}
	events := []harness.Event{p.event(), p.answered[p.rng.IntN(len(p.answered))].events[0]}
	p.refused("partial-repeat", events, harness.Sent(events[0]))
}

func (p *publisher) refused(code string, events []harness.Event, begun []history.Event) {
	notes := p.record.Begin(begun...)
	ctx, cancel := context.WithTimeout(p.patient, patience)
	defer cancel()
	a, tries, err := harness.PublishSurely(ctx, p.hub.URL("/v1/events"), events...)
	p.tries.Add(int64(tries - 1))
	if err != nil || a.Code != code {
		p.mistake("publish %s, which should be refused as %s: %d %s %s %v", events[0].ID, code, a.Status, a.Code, a.Detail, err)
		return
	}
	notes.Refused()
}
