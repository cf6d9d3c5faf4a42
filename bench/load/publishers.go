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
// time, or with [Publishers.OpenLines] one endless request of many lines.
type Publishers struct {
	// Next says what is to be published now, if anything. It is asked whenever a
	// connection is free, and by Work.
	Next func(*Request) bool
	// Answered, if set, is called when a request has been accepted or refused.
	Answered func(r *Request, now int64)
	// Acks, if set, counts how long answers took from when their request was due.
	Acks *Histogram
	// Late, if set, counts how long after that requests were sent.
	Late *Histogram
	// Keyed gives every event a key and an id.
	Keyed bool
	// Accepted counts events, Refused requests; Refusal is the first.
	Accepted, Refused int64
	Refusal           string

	loop       *Loop
	server     *unix.SockaddrInet4
	writer     writer
	ledger     *Ledger
	all        []*publisher
	free       []*publisher
	seq        int64
	unanswered int
}

// NewPublishers has no connections yet. What is accepted goes into the ledger.
func NewPublishers(l *Loop, addr string, t Topics, ledger *Ledger) (*Publishers, error) {
	server, err := sockaddr(addr)
	if err != nil {
		return nil, err
	}
	return &Publishers{loop: l, server: server, ledger: ledger, writer: writer{addr: addr, topics: t}}, nil
}

// Open opens n connections.
func (p *Publishers) Open(n int) error { return p.open(n, 1, false) }

// OpenLines opens n connections for streams of lines, with so many lines each that
// are not answered yet.
func (p *Publishers) OpenLines(n, window int) error { return p.open(n, window, true) }

func (p *Publishers) open(n, window int, lines bool) error {
	for range n {
		one := &publisher{all: p, socket: socket{loop: p.loop, fd: -1}, window: window, lines: lines, free: true}
		if err := one.socket.open(p.server, one); err != nil {
			return err
		}
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
func (p *Publishers) take(r *Request) bool {
	*r = Request{}
	if p.Next == nil || !p.Next(r) {
		return false
	}
	r.first = p.seq
	p.seq += r.events()
	p.unanswered++
	p.writer.keyed = p.Keyed
	if p.Late != nil {
		p.Late.Record(Now() - r.Due)
	}
	return true
}

func (p *Publishers) accepted(r *Request) {
	for i := range r.events() {
		p.ledger.add(r.Topic, r.first+i)
	}
	p.Accepted += r.events()
	p.answered(r)
}

func (p *Publishers) refused(r *Request, status int, body []byte) {
	if p.Refused++; p.Refusal == "" {
		p.Refusal = fmt.Sprintf("%d: %.300s", status, body)
	}
	p.answered(r)
}

func (p *Publishers) answered(r *Request) {
	p.unanswered--
	if p.Acks != nil {
		p.Acks.Record(p.loop.now - r.Due)
	}
	if p.Answered != nil {
		p.Answered(r, p.loop.now)
	}
}
