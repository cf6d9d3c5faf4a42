package presence

import (
	"cmp"
	"container/heap"
	"slices"
	"strconv"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/registry"
)

// Rows is where members can be looked up; *registry.Registry is.
type Rows interface {
	PutMember(registry.Member)
	RemoveMember(registry.Member)
}

// Members is who is present on which topics. It is owned by one goroutine.
type Members struct {
	grace time.Duration
	rows  Rows

	topics      map[nave.Topic]*topic
	connections map[uint64]*Connection
	departures  departures
	count       int
	of          map[Who]int // the same, by who they are

	news      []*topic // those with something to tell
	listeners []uint64 // connections that are to get whole lists
}

// A topic is one that somebody is present on, or was when others were told last.
type topic struct {
	name     nave.Topic
	members  map[Who]*member
	present  int // members that are not gone
	news     bool
	changed  []*member
	whole    bool // tell all of it to everybody
	byNumber bool
	toldAt   time.Time
}

// A member is somebody on one topic.
type member struct {
	who         Who
	topic       *topic
	connections []*Connection // by their ids
	since       time.Time
	idle        bool
	gone        bool
	until       time.Time // when it is gone, if it has no connection
	place       int       // in departures; -1 if it is not there

	told    state // what others know
	changed bool
}

// state is what others know of a member.
type state uint8

const (
	absent state = iota
	active
	idle
)

// New makes one without members.
func New(grace time.Duration, rows Rows) *Members {
	return &Members{grace: grace, rows: rows, topics: make(map[nave.Topic]*topic), connections: make(map[uint64]*Connection), of: make(map[Who]int)}
}

// Count is how many members there are, each on one topic.
func (m *Members) Count() int { return m.count }

// Has reports whether the connection has joined and not left.
func (m *Members) Has(id uint64) bool { return m.connections[id] != nil }

// IDs are the connections that have joined and not left.
func (m *Members) IDs() []uint64 {
	ids := make([]uint64, 0, len(m.connections))
	for id := range m.connections {
		ids = append(ids, id)
	}
	return ids
}

// Join lets a connection be seen. Joining twice is joining once.
func (m *Members) Join(c *Connection) {
	if m.Has(c.ID) {
		return
	}
	m.connections[c.ID] = c
	for _, t := range c.Topics {
		e := m.member(t, c.Who, c.Connected)
		at, _ := slices.BinarySearchFunc(e.connections, c.ID, func(c *Connection, id uint64) int { return cmp.Compare(c.ID, id) })
		e.connections = slices.Insert(e.connections, at, c)
		m.stay(e)
		m.update(e)
	}
}

// Leave takes a connection away. If it was a member's last, that is gone after the
// grace period.
func (m *Members) Leave(id uint64, now time.Time) {
	c := m.connections[id]
	if c == nil {
		return
	}
	delete(m.connections, id)
	for _, t := range c.Topics {
		e := m.topics[t].members[c.Who]
		e.connections = slices.DeleteFunc(e.connections, func(other *Connection) bool { return other == c })
		if len(e.connections) == 0 {
			m.leaveAt(e, now.Add(m.grace))
		}
		m.update(e)
	}
}

// mostOfOne is on how many topics somebody may be whose polls alone say so. Streams are
// bounded by how many of them there are.
const mostOfOne = 1000

// Seen lets somebody without a connection be present for the grace period; on no more
// topics than mostOfOne.
func (m *Members) Seen(who Who, topics []nave.Topic, now time.Time) {
	for _, t := range topics {
		if m.of[who] >= mostOfOne && !m.isPresent(t, who) {
			continue
		}
		e := m.member(t, who, now)
		if len(e.connections) == 0 {
			m.leaveAt(e, now.Add(m.grace))
		}
		m.update(e)
	}
}

// SetIdle says whether somebody is at a connection.
func (m *Members) SetIdle(id uint64, idle bool) {
	c := m.connections[id]
	if c == nil || c.idle == idle {
		return
	}
	c.idle = idle
	for _, t := range c.Topics {
		m.update(m.topics[t].members[c.Who])
	}
}

// Expire lets those go whose grace period is over.
func (m *Members) Expire(now time.Time) {
	for len(m.departures) > 0 && !m.departures[0].until.After(now) {
		e := heap.Pop(&m.departures).(*member)
		e.gone = true
		e.topic.present--
		m.count--
		if m.of[e.who]--; m.of[e.who] == 0 {
			delete(m.of, e.who)
		}
		m.update(e)
	}
}

// Next is when Expire has something to do; false if that is not known.
func (m *Members) Next() (time.Time, bool) {
	if len(m.departures) == 0 {
		return time.Time{}, false
	}
	return m.departures[0].until, true
}

// Close removes the rows.
func (m *Members) Close() {
	for _, t := range m.topics {
		for _, e := range t.members {
			m.rows.RemoveMember(e.row())
		}
	}
}

// member finds one, or makes it.
func (m *Members) member(name nave.Topic, who Who, since time.Time) *member {
	t := m.topics[name]
	if t == nil {
		t = &topic{name: name, members: make(map[Who]*member)}
		m.topics[name] = t
	}
	e := t.members[who]
	if e == nil {
		e = &member{who: who, topic: t, gone: true, place: -1}
		t.members[who] = e
	}
	if e.gone {
		e.gone, e.since, e.idle = false, since, false
		t.present++
		m.count++
		m.of[who]++
	}
	return e
}

func (m *Members) isPresent(name nave.Topic, who Who) bool {
	t := m.topics[name]
	return t != nil && t.members[who] != nil && !t.members[who].gone
}

// leaveAt lets a member be gone at a time.
func (m *Members) leaveAt(e *member, at time.Time) {
	e.until = at
	if e.place >= 0 {
		heap.Fix(&m.departures, e.place)
		return
	}
	heap.Push(&m.departures, e)
}

func (m *Members) stay(e *member) {
	if e.place >= 0 {
		heap.Remove(&m.departures, e.place)
	}
}

// update follows from what has changed about a member.
func (m *Members) update(e *member) {
	if len(e.connections) > 0 {
		e.idle = !slices.ContainsFunc(e.connections, func(c *Connection) bool { return !c.idle })
	}
	if e.gone {
		m.rows.RemoveMember(e.row())
	} else {
		m.rows.PutMember(e.row())
	}
	if !e.changed && e.state() != e.told {
		e.changed = true
		e.topic.changed = append(e.topic.changed, e)
		m.mark(e.topic)
	}
}

func (m *Members) mark(t *topic) {
	if !t.news {
		t.news = true
		m.news = append(m.news, t)
	}
}

func (e *member) state() state {
	switch {
	case e.gone:
		return absent
	case e.idle:
		return idle
	}
	return active
}

// row is the member as others see it.
func (e *member) row() registry.Member {
	r := registry.Member{
		Topic: e.topic.name, Subject: e.who.Subject, Issuer: e.who.Issuer, Anonymous: e.who.Anonymous,
		Since: e.since.UTC(), Idle: e.idle, Connections: []registry.MemberConnection{},
	}
	for _, c := range e.connections[:min(len(e.connections), Shown)] {
		r.Connections = append(r.Connections, registry.MemberConnection{
			ID: strconv.FormatUint(c.ID, 10), Connected: c.Connected.UTC(), Idle: c.idle,
		})
	}
	r.More = len(e.connections) - len(r.Connections)
	return r
}

// departures are members without connection; a heap by when they are gone.
type departures []*member

func (d departures) Len() int           { return len(d) }
func (d departures) Less(i, j int) bool { return d[i].until.Before(d[j].until) }

func (d departures) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].place, d[j].place = i, j
}

// Push is for package heap.
func (d *departures) Push(e any) {
	e.(*member).place = len(*d)
	*d = append(*d, e.(*member))
}

// Pop is for package heap.
func (d *departures) Pop() any {
	last := len(*d) - 1
	e := (*d)[last]
	e.place = -1
	(*d)[last] = nil
	*d = (*d)[:last]
	return e
}
