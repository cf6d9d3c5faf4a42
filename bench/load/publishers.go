//go:build linux

package load

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Publishers are connections that publish to one server, each one request at a
// time, or with [Publishers.OpenLines] one endless request of many lines. A publish
// that is refused fails the loop: what is measured then is another load.
type Publishers struct {
	// Next says what is to be published now, if anything. It is asked whenever a
	// connection is free, and by Work.
	Next func(*Request) bool
	// Acks, if set, counts how long answers took from when their request was due.
	Acks *Window
	// Late, if set, counts how long after that requests were sent.
	Late *Window
	// Keyed gives every event a key and an id.
	Keyed bool
	// Accepted counts events.
	Accepted int64

	loop       *Loop
	server     *unix.SockaddrInet4
	writer     writer
	ledger     *Ledger
	all        []*publisher
	free       []*publisher
	opened     int
	seq        int64
	highest    uint64          // offset that anybody was told
	floor      int64           // all events before this one are accepted
	above      map[int64]int64 // accepted ones above it: the first, and how many
	unanswered int
}

// NewPublishers has no connections yet. What is accepted goes into the ledger.
func NewPublishers(l *Loop, to Target, t Topics, ledger *Ledger) (*Publishers, error) {
	server, err := sockaddr(to.Addr)
	if err != nil {
		return nil, err
	}
	return &Publishers{loop: l, server: server, ledger: ledger, above: make(map[int64]int64), writer: writer{to: to, topics: t}}, nil
}

// Open opens n connections.
func (p *Publishers) Open(n int) error { return p.open(n, 1, false) }

// OpenLines opens n connections for streams of lines, with so many lines each that
// are not answered yet.
func (p *Publishers) OpenLines(n, window int) error { return p.open(n, window, true) }

func (p *Publishers) open(n, window int, lines bool) error {
	for range n {
		one := &publisher{all: p, number: p.opened, socket: socket{loop: p.loop, fd: -1}, window: window, lines: lines, free: true}
		if err := one.socket.open(p.server, one); err != nil {
			return err
		}
		p.opened++
		p.all = append(p.all, one)
		p.free = append(p.free, one)
	}
	return nil
}

// Work gives the connections that are free something to do, first the one that
// was free last: at a low rate few are used, as in any pool.
func (p *Publishers) Work() {
	for len(p.free) > 0 {
		last := len(p.free) - 1
		one := p.free[last]
		if !one.work() {
			return
		}
		one.free = false
		p.free = p.free[:last]
	}
}

// spare reports whether there are others to do a free connection's work from now on.
func (p *Publishers) spare(one *publisher) bool {
	if len(p.all) == 1 || !one.free {
		return false
	}
	is := func(other *publisher) bool { return other == one }
	p.all, p.free = slices.DeleteFunc(p.all, is), slices.DeleteFunc(p.free, is)
	return true
}

// Unanswered is how many requests are under way.
func (p *Publishers) Unanswered() int { return p.unanswered }

// Drain lets what is under way be answered, and publishes nothing more.
func (p *Publishers) Drain(ctx context.Context) error {
	p.Next = nil
	const patience = 20 * time.Second
	done, err := p.loop.Run(ctx, patience, func() bool { return p.unanswered == 0 })
	if err == nil && !done {
		err = fmt.Errorf("%d requests are not answered after %v", p.unanswered, patience)
	}
	return err
}

// Close closes the connections.
func (p *Publishers) Close() {
	for _, one := range p.all {
		one.socket.close()
	}
	p.all, p.free = nil, nil
}

// take asks for the next request and numbers it.
func (p *Publishers) take(r *Request, by *publisher) bool {
	if p.Next == nil || !p.Next(r) {
		return false
	}
	r.first, r.by, r.after, r.floor = p.seq, by.number, p.highest, p.floor
	p.seq += r.events()
	p.unanswered++
	p.writer.keyed = p.Keyed
	p.Late.record(r.Due, Now())
	return true
}

func (p *Publishers) accepted(r *Request, latest uint64) {
	p.unanswered--
	p.Accepted += r.events()
	p.raise(r)
	p.highest = max(p.highest, latest)
	p.Acks.record(r.Due, p.loop.now)
}

// raise lets the floor rise if it was this request that held it.
func (p *Publishers) raise(r *Request) {
	if r.first != p.floor {
		p.above[r.first] = r.events()
		return
	}
	for n := r.events(); n > 0; n = p.above[p.floor] {
		delete(p.above, p.floor)
		p.floor += n
	}
}
