package logtest

import (
	"slices"
	"strings"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// A model is the contract as plainly as it can be written, without a thought
// for cost.
type model struct {
	options eventlog.Options
	head    uint64
	log     map[nave.Durability][]batch
	// latest of a key in each durability; the higher offset counts.
	latest map[nave.Durability]map[entity]nave.Event
	ids    map[nave.Durability]map[identity]place
	gone   map[nave.Topic]uint64 // highest offset that is no longer in the log
	// By first segment: whether a memory event was stored since the last restart,
	// and the head at the last restart before which one was.
	touched map[string]bool
	lost    map[string]uint64
}

type batch struct {
	events []nave.Event
	time   time.Time
}

type entity struct {
	topic nave.Topic
	key   string
}

type identity struct{ source, id string }

type place struct {
	first uint64
	at    nave.Position
	until time.Time
}

func newModel(o eventlog.Options) *model {
	m := &model{
		options: o,
		log:     make(map[nave.Durability][]batch),
		latest:  make(map[nave.Durability]map[entity]nave.Event),
		ids:     make(map[nave.Durability]map[identity]place),
		gone:    make(map[nave.Topic]uint64),
		touched: make(map[string]bool),
		lost:    make(map[string]uint64),
	}
	for _, d := range []nave.Durability{nave.Durable, nave.Memory} {
		m.latest[d] = make(map[entity]nave.Event)
		m.ids[d] = make(map[identity]place)
	}
	return m
}

// append says what is to become of a batch. Offsets are the engine's choice, so
// it is told where the batch went, if it was stored.
func (m *model) append(b eventlog.Batch, first uint64) eventlog.Outcome {
	if seen := m.places(b); len(seen) > 0 {
		return m.repeat(b, seen)
	}
	var conflicts []nave.Conflict
	for _, e := range b.Events {
		if e.IfVersion == nil {
			continue
		}
		c := nave.Conflict{Topic: e.Topic, Key: e.Key, IfVersion: *e.IfVersion}
		if latest, ok := m.current(entity{e.Topic, e.Key}); ok {
			c.Version, c.Event = latest.Offset, &latest
		}
		if c.Version != c.IfVersion {
			conflicts = append(conflicts, c)
		}
	}
	if len(conflicts) > 0 {
		return eventlog.Outcome{Err: &nave.ConflictError{Conflicts: conflicts}}
	}
	m.store(b, first)
	return eventlog.Outcome{First: first}
}

// places are where the batch's ids were seen, by index in the batch.
func (m *model) places(b eventlog.Batch) map[int]place {
	seen := make(map[int]place)
	for i, e := range b.Events {
		for _, ids := range m.ids {
			p, ok := ids[identity{e.Source, e.ID}]
			if e.ID != "" && ok && b.Time.Before(p.until) {
				seen[i] = p
			}
		}
	}
	return seen
}

func (m *model) repeat(b eventlog.Batch, seen map[int]place) eventlog.Outcome {
	partial := eventlog.Outcome{Err: nave.Errorf(nave.CodePartialRepeat, "partial")}
	var first uint64
	for i, e := range b.Events {
		p, ok := seen[i]
		if e.ID == "" {
			continue
		}
		if !ok || p.at != (nave.Position{I: i, N: len(b.Events)}) || first != 0 && p.first != first {
			return partial
		}
		first = p.first
	}
	return eventlog.Outcome{First: first, Repeat: true}
}

func (m *model) store(b eventlog.Batch, first uint64) {
	events := placed(first, b.Events...)
	m.head = events[len(events)-1].Offset
	m.log[b.Durability] = append(m.log[b.Durability], batch{events, b.Time})
	for _, e := range events {
		e.IfVersion = nil
		if b.Durability == nave.Memory {
			m.touched[segment(e.Topic)] = true
		}
		if e.Key != "" {
			m.latest[b.Durability][entity{e.Topic, e.Key}] = e
		}
		if e.ID != "" {
			m.ids[b.Durability][identity{e.Source, e.ID}] = place{first, e.Batch, b.Time.Add(m.options.Window())}
		}
	}
}

// current is the latest event of a key, which may be a tombstone.
func (m *model) current(k entity) (nave.Event, bool) {
	d, inDurable := m.latest[nave.Durable][k]
	e, inMemory := m.latest[nave.Memory][k]
	if !inMemory || inDurable && d.Offset > e.Offset {
		return d, inDurable
	}
	return e, true
}

func (m *model) trim(now time.Time) {
	m.trimOne(now, nave.Durable, m.options.Durable)
	m.trimOne(now, nave.Memory, m.options.Memory)
}

func (m *model) trimOne(now time.Time, d nave.Durability, r eventlog.Retention) {
	for len(m.log[d]) > 0 {
		oldest := m.log[d][0]
		tooOld := r.Age > 0 && now.Sub(oldest.time) > r.Age
		tooMuch := r.Bytes > 0 && m.bytes(d) > r.Bytes
		if !tooOld && !tooMuch {
			return
		}
		m.log[d] = m.log[d][1:]
		for _, e := range oldest.events {
			m.gone[e.Topic] = max(m.gone[e.Topic], e.Offset)
			m.forgetTombstone(d, e)
		}
	}
}

// forgetTombstone forgets a removed key altogether: what the tombstone hides in
// the other durability too.
func (m *model) forgetTombstone(d nave.Durability, e nave.Event) {
	k := entity{e.Topic, e.Key}
	if e.Key == "" || !e.Tombstone() || m.latest[d][k].Offset != e.Offset {
		return
	}
	for _, latest := range m.latest {
		if latest[k].Offset <= e.Offset {
			delete(latest, k)
		}
	}
}

func (m *model) bytes(d nave.Durability) int64 {
	var n int64
	for _, b := range m.log[d] {
		for i := range b.events {
			n += int64(b.events[i].Size())
		}
	}
	return n
}

// restart loses what is in memory. Readers of topics with the same first segment
// as a lost event's may be told so too.
func (m *model) restart(head uint64) {
	for _, b := range m.log[nave.Memory] {
		for _, e := range b.events {
			m.gone[e.Topic] = max(m.gone[e.Topic], e.Offset)
		}
	}
	for s := range m.touched {
		m.lost[s] = head
	}
	clear(m.touched)
	m.log[nave.Memory] = nil
	clear(m.latest[nave.Memory])
	clear(m.ids[nave.Memory])
	m.head = head
}

func segment(t nave.Topic) string {
	s, _, _ := strings.Cut(string(t), "/")
	return s
}

// read is all that a reader who is not reset gets.
func (m *model) read(after uint64, fs nave.Filters) []nave.Event {
	var events []nave.Event
	for _, batches := range m.log {
		for _, b := range batches {
			for _, e := range b.events {
				if e.Offset > after && fs.Match(e.Topic) {
					events = append(events, e)
				}
			}
		}
	}
	slices.SortFunc(events, func(a, b nave.Event) int { return int(a.Offset) - int(b.Offset) })
	return events
}

func (m *model) state(fs nave.Filters) map[entity]nave.Event {
	state := make(map[entity]nave.Event)
	for _, latest := range m.latest {
		for k := range latest {
			if e, _ := m.current(k); fs.Match(k.topic) && !e.Tombstone() {
				state[k] = e
			}
		}
	}
	return state
}

// oldest is between the highest offset that is gone of a topic that matches,
// and what a restart allows the engine to claim.
func (m *model) oldest(fs nave.Filters) (least, most uint64) {
	for topic, offset := range m.gone {
		if fs.Match(topic) {
			least = max(least, offset)
		}
	}
	most = least
	for _, f := range fs {
		for s, offset := range m.lost {
			if nave.Filter(segment(nave.Topic(f))).Match(nave.Topic(s)) {
				most = max(most, offset)
			}
		}
	}
	return least, most
}
