// Package registry is what people and other actors ask about: which clients,
// topics and breakers there are, who is present where, and how they fare. Nobody asks
// an actor for its status.
//
// Writing: Put and Remove never wait for the tables. What is put gathers, the
// latest of each row, and is written in one transaction a few milliseconds
// later. A row is for facts that change now and then, never one a delivery.
//
// Reading: a [Snapshot] is a consistent view of all tables, as old as the last
// write. It costs a fraction of a microsecond to take, holds up nobody, and never
// changes.
//
// Bounds: memory is proportional to the rows. What gathers between two writes
// is at most one entry a row.
//
// This is the only package that knows go-memdb.
package registry

import (
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-memdb"

	"github.com/navehub/nave"
)

// DefaultFlush is how long rows gather before they are written. A write costs
// three times as much alone as in a batch, and nobody sees 5 ms on a dashboard.
const DefaultFlush = 5 * time.Millisecond

// A Registry holds the tables. It is safe for concurrent use.
type Registry struct {
	db         *memdb.MemDB
	flushEvery time.Duration

	mu      sync.Mutex
	pending map[rowID]row // nil until something is put; a nil row is a removal
	closed  bool

	dirty chan struct{} // holds one token: there is something pending
	quit  chan struct{}
	done  chan struct{}
}

// New makes an empty registry and starts its writer; Close ends it. Rows gather
// for flushEvery before they are written, [DefaultFlush] if it is not positive.
func New(flushEvery time.Duration) *Registry {
	if flushEvery <= 0 {
		flushEvery = DefaultFlush
	}
	r := &Registry{
		db:         newTables(),
		flushEvery: flushEvery,
		dirty:      make(chan struct{}, 1),
		quit:       make(chan struct{}),
		done:       make(chan struct{}),
	}
	go r.write()
	return r
}

// PutClient adds the client or replaces the row with its ID.
func (r *Registry) PutClient(c Client) {
	c.Filters, c.Presence = slices.Clone(c.Filters), slices.Clone(c.Presence)
	r.put(rowID{clients, c.ID}, &c)
}

// RemoveClient removes the client, if it is there.
func (r *Registry) RemoveClient(id string) { r.put(rowID{clients, id}, nil) }

// PutTopic adds the topic or replaces the row with its Name.
func (r *Registry) PutTopic(t Topic) { r.put(rowID{topics, string(t.Name)}, &t) }

// RemoveTopic removes the topic, if it is there.
func (r *Registry) RemoveTopic(name nave.Topic) { r.put(rowID{topics, string(name)}, nil) }

// PutBreaker adds the breaker or replaces the row with its Name.
func (r *Registry) PutBreaker(b Breaker) {
	b.History = slices.Clone(b.History)
	r.put(rowID{breakers, b.Name}, &b)
}

// RemoveBreaker removes the breaker, if it is there.
func (r *Registry) RemoveBreaker(name string) { r.put(rowID{breakers, name}, nil) }

// PutMember adds the member or replaces the row of the same one on the same topic.
func (r *Registry) PutMember(m Member) {
	m.Connections = slices.Clone(m.Connections)
	r.put(m.rowID(), &m)
}

// RemoveMember removes the member from its topic, if it is there.
func (r *Registry) RemoveMember(m Member) { r.put(m.rowID(), nil) }

// Close writes what has gathered, stops the writer and waits for it. What is put
// afterwards is ignored; what is there can still be read. It may be called more
// than once.
func (r *Registry) Close() {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.quit)
	}
	r.mu.Unlock()
	<-r.done
}

func (r *Registry) put(id rowID, value row) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	if r.pending == nil {
		r.pending = make(map[rowID]row)
		select {
		case r.dirty <- struct{}{}:
		default:
		}
	}
	r.pending[id] = value
}
