//go:build linux

package slow

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/tests/trial"
)

const (
	bigBuffer = 64 << 10 // a big event fits
	// silence is when a client takes its connection for dead: events come all the
	// time.
	silence = 5 * time.Second
)

// A slowClient follows everything, and is slow or dead for a while.
type slowClient struct {
	name    string
	dial    func(context.Context) (net.Conn, error)
	filters []string

	*stream
	cursor   string
	position uint64 // the cursor's offset
	log      []told
	batch    []told // events whose cursor has not come yet
	resumed  int    // connections after the first
	early    []byte // read a byte at a time
}

// connect opens a stream from the cursor, if there is one.
func (c *slowClient) connect(ctx context.Context) error {
	conn, err := c.dial(ctx)
	if err != nil {
		return err
	}
	c.stream, err = open(conn, c.cursor, bigBuffer, c.filters...)
	return err
}

// address is the client's own, by which the kernel knows the connection.
func (c *slowClient) address() string { return c.conn.LocalAddr().String() }

// read reads until the client has everything up to the offset.
func (c *slowClient) read(upTo uint64) error {
	var f frame
	for c.position < upTo {
		if err := c.conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
			return err
		}
		if err := c.next(&f); err != nil {
			return err
		}
		if f.offset > 0 || f.sync != "" {
			c.batch = append(c.batch, told{f.offset, f.n, f.sync, f.to})
		}
		if f.sync != "" || len(c.id) > 0 {
			c.log = append(c.log, c.batch...)
			c.batch = c.batch[:0]
		}
		if len(c.id) > 0 {
			c.cursor, c.position = string(c.id), f.to
		}
	}
	return nil
}

// catchUp reads until the client has everything up to the offset. When its
// connection ends, or is dead, it comes back with the cursor that it got last.
func (c *slowClient) catchUp(ctx context.Context, upTo uint64) error {
	for {
		err := c.read(upTo)
		if err == nil || errors.Is(err, errMangled) || ctx.Err() != nil {
			return err
		}
		c.conn.Close()
		c.batch = nil // it will come again
		c.resumed++
		if err := c.connect(ctx); err != nil {
			return err
		}
	}
}

// creep reads a byte a second until ctx ends.
func (c *slowClient) creep(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var b [1]byte
	for {
		select {
		case <-ctx.Done():
			c.precede(c.early)
			return
		case <-tick.C:
		}
		if _, err := c.conn.Read(b[:]); err == nil { // else it will be met again
			c.early = append(c.early, b[0])
		}
	}
}

// A group is slow clients of one kind.
type group []*slowClient

// newGroup connects n clients.
func newGroup(t *testing.T, name string, n int, dial func(context.Context) (net.Conn, error)) group {
	t.Helper()
	ctx := trial.Soon(t)
	var g group
	for i := range n {
		c := &slowClient{name: fmt.Sprint(name, " ", i), dial: dial, filters: []string{smallTopic + "*", bulkTopic + "*"}}
		if err := c.connect(ctx); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		t.Cleanup(func() { c.conn.Close() })
		g = append(g, c)
	}
	return g
}

// each does the same with all of them at once, and fails the test if one fails.
func (g group) each(t *testing.T, what string, do func(*slowClient) error) {
	t.Helper()
	var all sync.WaitGroup
	for _, c := range g {
		all.Go(func() {
			if err := do(c); err != nil {
				t.Errorf("%s: %s: %v", c.name, what, err)
			}
		})
	}
	all.Wait()
}

// catchUp is done when all have everything up to the offset.
func (g group) catchUp(t *testing.T, upTo uint64) {
	t.Helper()
	ctx := trial.Within(t, 2*time.Minute)
	g.each(t, fmt.Sprint("catch up to ", upTo), func(c *slowClient) error { return c.catchUp(ctx, upTo) })
}

// stuck counts those whose connection the hub has, and to whom bytes are unsent.
func (g group) stuck(hubs map[string]int) (n int) {
	for _, c := range g {
		if hubs[c.address()] > 0 {
			n++
		}
	}
	return n
}

// connected counts those whose connection the hub has.
func (g group) connected(hubs map[string]int) (n int) {
	for _, c := range g {
		if _, here := hubs[c.address()]; here {
			n++
		}
	}
	return n
}

// resumed counts those that had to come back.
func (g group) resumed() (n int) {
	for _, c := range g {
		if c.resumed > 0 {
			n++
		}
	}
	return n
}

func (g group) close() {
	for _, c := range g {
		c.conn.Close()
	}
}

// judge counts what is wrong with each.
func (g group) judge(t *testing.T, all []published, end uint64) (total findings) {
	t.Helper()
	for _, c := range g {
		f := judge(c.log, all, end)
		if f.lost+f.double+f.foreign > 0 {
			t.Errorf("%s: %+v in %d things told over %d connections: %s", c.name, f, len(c.log), c.resumed+1, c.verdicts())
		}
		total.add(f)
	}
	return total
}

func (c *slowClient) verdicts() string {
	var all []string
	for i, m := range c.log {
		if m.sync != "" {
			all = append(all, fmt.Sprintf("%s(%d) at %d", m.sync, m.to, i))
		}
	}
	return strings.Join(all, ", ")
}
