package presence

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/registry"
)

// A Message is an event to be published.
type Message struct {
	Event nave.Event
	// To are the connections that it is for; nil is everybody who follows its topic.
	To []uint64
	// Joined and Left are how many have, of which it tells.
	Joined, Left int

	topic *topic
}

// Listen has a connection get the whole lists of its topics.
func (m *Members) Listen(id uint64) {
	if m.Has(id) {
		m.listeners = append(m.listeners, id)
	}
}

// Whole has everybody get the whole list of every topic.
func (m *Members) Whole() {
	for _, name := range slices.Sorted(maps.Keys(m.topics)) {
		m.topics[name].whole = true
		m.mark(m.topics[name])
	}
}

// News reports whether there is something to tell.
func (m *Members) News() bool { return len(m.news)+len(m.listeners) > 0 }

// Take is what there is to tell now, in order, and roughly as many bytes of it as most.
// It counts as told from then on; see Untold.
//
// Lists come last, and all of a connection's at once, when all changes have been told: so
// a change that comes before a connection's lists is in them, and one after them is not.
func (m *Members) Take(now time.Time, most int) []Message {
	var all []Message
	bytes := 0
	waiting := m.news[:0]
	for i, t := range m.news {
		if bytes >= most {
			waiting = append(waiting, m.news[i:]...)
			break
		}
		if t.byNumber && now.Sub(t.toldAt) < byNumberEvery {
			waiting = append(waiting, t)
			continue
		}
		message, ok := t.take(now)
		if len(t.members) == 0 {
			delete(m.topics, t.name)
		}
		if ok {
			all = append(all, message)
			bytes += message.Event.Size()
		}
	}
	clear(m.news[len(waiting):])
	m.news = waiting
	if bytes < most {
		all = append(all, m.takeLists(now, most-bytes)...)
	}
	return all
}

// take tells what has changed on a topic, if anything has.
func (t *topic) take(now time.Time) (m Message, ok bool) {
	t.news, t.toldAt = false, now
	switch {
	case t.byNumber && t.present <= namedAgain:
		t.byNumber, t.whole = false, true
	case t.present > Named:
		t.byNumber = true
	}
	d := Data{Topic: t.name, Total: t.present}
	var joined, left int
	d.Changes, joined, left = t.changes()
	if len(d.Changes) == 0 && !t.whole {
		return Message{}, false
	}
	if t.byNumber {
		d.Changes = nil
	} else if t.whole {
		d.Changes, d.Members = nil, t.rows()
	}
	t.whole = false
	m = t.message(d, now)
	m.Joined, m.Left = joined, left
	return m, true
}

// changes are those since others were told last. They count as told.
func (t *topic) changes() (all []Change, joined, left int) {
	for _, e := range t.changed {
		now := e.state()
		switch {
		case now == e.told: // and was something else in between
		case now == absent:
			all = append(all, Change{Leave, e.row()})
			left++
		case e.told == absent:
			all = append(all, Change{Join, e.row()})
			joined++
		case now == idle:
			all = append(all, Change{Idle, e.row()})
		default:
			all = append(all, Change{Active, e.row()})
		}
		e.changed, e.told = false, now
		if e.gone {
			delete(t.members, e.who)
		}
	}
	t.changed = nil
	return all, joined, left
}

func (t *topic) rows() []registry.Member {
	rows := make([]registry.Member, 0, t.present)
	for _, e := range t.members {
		if !e.gone {
			rows = append(rows, e.row())
		}
	}
	slices.SortFunc(rows, func(a, b registry.Member) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Issuer, b.Issuer))
	})
	return rows
}

func (t *topic) message(d Data, now time.Time) Message {
	data, err := json.Marshal(d)
	if err != nil {
		panic(err) // our own types always marshal
	}
	return Message{Event: nave.Event{Topic: TopicOf(t.name), Type: Type, Time: now, Data: data}, topic: t}
}

// takeLists makes one list of each topic for all who are to get it.
func (m *Members) takeLists(now time.Time, most int) []Message {
	lists := make(map[*topic]int) // their places
	var all []Message
	bytes, taken := 0, 0
	for _, id := range m.listeners {
		if bytes >= most {
			break
		}
		taken++
		c := m.connections[id]
		if c == nil {
			continue // it has left meanwhile
		}
		for _, name := range c.Topics {
			t := m.topics[name]
			at, made := lists[t]
			if !made {
				d := Data{Topic: name, Total: t.present}
				if !t.byNumber {
					d.Members = t.rows()
				}
				at, lists[t] = len(all), len(all)
				all = append(all, t.message(d, now))
				bytes += all[at].Event.Size()
			}
			all[at].To = append(all[at].To, id)
		}
	}
	m.listeners = slices.Delete(m.listeners, 0, taken)
	return all
}

// Untold takes back messages that have reached nobody, or not everybody: what they
// have told of is told as whole lists.
func (m *Members) Untold(messages []Message) {
	for _, message := range messages {
		t := message.topic
		switch {
		case message.To != nil:
			for _, id := range message.To {
				if !slices.Contains(m.listeners, id) {
					m.Listen(id)
				}
			}
		case m.topics[t.name] == t:
			t.whole = true
			m.mark(t)
		}
	}
}
