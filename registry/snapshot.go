package registry

import (
	"iter"
	"slices"
	"strings"

	"github.com/hashicorp/go-memdb"

	"github.com/navehub/nave"
)

// A Snapshot is every table at one moment. It does not change, may be shared by
// goroutines, and needs no closing; while it is kept, so are its rows. Rows are
// copies: do with them what you like.
type Snapshot struct{ txn *memdb.Txn }

// Snapshot is the tables as they were last written.
func (r *Registry) Snapshot() Snapshot { return Snapshot{r.db.Txn(false)} }

// Client finds a client by its ID.
func (s Snapshot) Client(id string) (Client, bool) {
	row, err := s.txn.First(clients, byName, id)
	check(err)
	if row == nil {
		return Client{}, false
	}
	return row.(*Client).copy(), true
}

// EachClient calls look with every client, in no order that means anything. It copies
// nothing, so as to look through all of them for a few: look must neither change nor
// keep what it is given.
func (s Snapshot) EachClient(look func(*Client)) {
	for c := range rows[*Client](s, clients) {
		look(c)
	}
}

// Topics are all topics, in the order of their names.
func (s Snapshot) Topics() iter.Seq[Topic] {
	return func(yield func(Topic) bool) {
		for t := range rows[*Topic](s, topics) {
			if !yield(*t) {
				return
			}
		}
	}
}

// Breaker finds a breaker by its name.
func (s Snapshot) Breaker(name string) (Breaker, bool) {
	row, err := s.txn.First(breakers, byName, name)
	check(err)
	if row == nil {
		return Breaker{}, false
	}
	return row.(*Breaker).copy(), true
}

// Breakers are all breakers, in the order of their names.
func (s Snapshot) Breakers() iter.Seq[Breaker] {
	return func(yield func(Breaker) bool) {
		for b := range rows[*Breaker](s, breakers) {
			if !yield(b.copy()) {
				return
			}
		}
	}
}

// Members are those who are present on topic t, in the order of their subjects; each
// comes with a name of its own, by which they are ordered.
func (s Snapshot) Members(t nave.Topic) iter.Seq2[string, Member] {
	return func(yield func(string, Member) bool) {
		prefix := string(t) + "\x00"
		it, err := s.txn.LowerBound(members, byName, prefix)
		check(err)
		for next := it.Next(); next != nil; next = it.Next() {
			m := next.(*Member)
			name, ok := strings.CutPrefix(m.rowID().name, prefix)
			if !ok || !yield(name, m.copy()) {
				return
			}
		}
	}
}

// Counts says how many there are of what.
type Counts struct {
	Clients, Lagging int
	OpenBreakers     int // half-open ones are not closed either
}

// Count looks at every client and breaker: fit for a page or a scrape, not for every
// event.
func (s Snapshot) Count() Counts {
	var n Counts
	for c := range rows[*Client](s, clients) {
		n.Clients++
		if c.Lagging() {
			n.Lagging++
		}
	}
	for b := range rows[*Breaker](s, breakers) {
		if b.State != BreakerClosed {
			n.OpenBreakers++
		}
	}
	return n
}

func (c *Client) copy() Client {
	own := *c
	own.Filters = slices.Clone(c.Filters)
	own.Presence = slices.Clone(c.Presence)
	return own
}

func (m *Member) copy() Member {
	own := *m
	own.Connections = slices.Clone(m.Connections)
	return own
}

func (b *Breaker) copy() Breaker {
	own := *b
	own.History = slices.Clone(b.History)
	return own
}

func rows[T row](s Snapshot, table string) iter.Seq[T] {
	return func(yield func(T) bool) {
		it, err := s.txn.Get(table, byName)
		check(err)
		for next := it.Next(); next != nil; next = it.Next() {
			if !yield(next.(T)) {
				return
			}
		}
	}
}
