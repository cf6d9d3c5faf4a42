//go:build linux

package load

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// A connection that waits to be accepted is dropped when there are too many, and
	// tried again after a second; Linux allows 4,096 by default.
	mostOpening = 2000
	// opening is how long a crowd may take to come.
	opening = time.Minute
)

// A Crowd is many subscribers of one server. Every event that they receive is
// checked: offsets must rise, and events without offset come in the order in which
// one publisher sent them, and one after the other was accepted. [Crowd.Check]
// compares what has come with the ledger.
type Crowd struct {
	// Received, if set, is called with the number of every event.
	Received func(seq int64)
	// Latency, if set, counts how long events took from their due time.
	Latency *Window
	// Events counts what was received.
	Events int64

	loop    *Loop
	server  *unix.SockaddrInet4
	to      Target
	ledger  *Ledger
	all     []*Subscriber
	waiting []*Subscriber // to connect
	opening int
	epoch   []byte
}

// NewCrowd is a crowd without subscribers yet. Its ledger is the publishers'.
func NewCrowd(l *Loop, to Target, ledger *Ledger) (*Crowd, error) {
	server, err := sockaddr(to.Addr)
	if err != nil {
		return nil, err
	}
	return &Crowd{loop: l, server: server, to: to, ledger: ledger}, nil
}

// Add adds a subscriber, which is to receive what is published from now on. It
// comes with the next [Crowd.Connect].
func (c *Crowd) Add(f Follow) *Subscriber {
	s := &Subscriber{crowd: c, socket: socket{loop: c.loop, fd: -1}, follow: f, number: len(c.all)}
	s.got = c.ledger.of(&f)
	c.all = append(c.all, s)
	c.waiting = append(c.waiting, s)
	return s
}

// AddFrom adds a subscriber that comes with another's cursor: of one that followed
// the same, or that has received nothing.
func (c *Crowd) AddFrom(f Follow, cursor Cursor) *Subscriber {
	s := c.Add(f)
	s.got, s.cursor, s.epoch = cursor.got, cursor.Offset, cursor.Epoch
	return s
}

// Connect lets everybody who was added come, and returns when the server has told
// each where it begins.
func (c *Crowd) Connect(ctx context.Context) error {
	c.pump()
	done, err := c.loop.Run(ctx, opening, func() bool { return c.opening == 0 && len(c.waiting) == 0 })
	if err == nil && !done {
		err = fmt.Errorf("%d of %d subscribers have not heard where they begin after %v", c.opening+len(c.waiting), len(c.all), opening)
	}
	return err
}

// Come begins to connect everybody who was added, and returns at once.
func (c *Crowd) Come() { c.pump() }

func (c *Crowd) pump() {
	for len(c.waiting) > 0 && c.opening < mostOpening {
		s := c.waiting[0]
		c.waiting = c.waiting[1:]
		c.opening++
		s.begin()
	}
}

func (c *Crowd) opened() {
	c.opening--
	c.pump()
}

// Settle waits until everybody has received all that is in the ledger, and a little
// longer for what is too much, and checks it. Nothing must be under way any more.
func (c *Crowd) Settle(ctx context.Context, patience time.Duration) error {
	missing := c.Missing()
	goal := c.Events + missing
	if _, err := c.loop.Run(ctx, patience, func() bool { return c.Events >= goal }); err != nil {
		return err
	}
	const tooMuch = 20 * time.Millisecond
	if _, err := c.loop.Run(ctx, tooMuch, nil); err != nil {
		return err
	}
	return c.Check()
}

// Missing is how many deliveries of what is in the ledger have not come.
func (c *Crowd) Missing() (n int64) {
	for _, s := range c.all {
		n += c.ledger.of(&s.follow).Count - s.got.Count
	}
	return n
}

// Check compares what everybody has received with the ledger.
func (c *Crowd) Check() error {
	wrong := 0
	var first error
	for _, s := range c.all {
		want := c.ledger.of(&s.follow)
		if s.got == want {
			continue
		}
		wrong++
		if first == nil {
			first = s.wrong("%s", difference(s.got, want))
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d subscribers have not received exactly what was accepted: %w", wrong, len(c.all), first)
	}
	return nil
}

func difference(got, want Tally) string {
	if got.Count == want.Count {
		return fmt.Sprintf("received %d events, as many as it must be, but not those that were accepted at these offsets", got.Count)
	}
	return fmt.Sprintf("received %d events: it must be %d", got.Count, want.Count)
}

// Leave closes all connections.
func (c *Crowd) Leave() {
	for _, s := range c.all {
		s.Leave()
	}
}
