//go:build linux

package load

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// A publisher is one connection.
type publisher struct {
	all     *Publishers
	number  int
	socket  socket
	pending []Request // oldest first
	window  int
	free    bool   // is among the free
	latest  uint64 // offset that it was told
	tail    []byte // of what was read, the unfinished part

	lines   bool // the body is a stream of them
	begun   bool // such a request was
	headed  bool // the head of its answer has come
	chunked chunks
}

// work sends what is to be published, up to the window, and reports whether the
// connection is full then.
func (c *publisher) work() bool {
	if c.lines {
		return c.workLines()
	}
	var r Request
	if !c.all.take(&r, c) {
		return false
	}
	c.pending = append(c.pending, r)
	c.send(c.all.writer.request(&r))
	return true
}

func (c *publisher) workLines() bool {
	w := &c.all.writer
	w.body = w.body[:0]
	for len(c.pending) < c.window {
		var r Request
		if !c.all.take(&r, c) {
			break
		}
		c.pending = append(c.pending, r)
		w.body = append(w.appendBody(w.body, &r), '\n')
	}
	if len(w.body) > 0 {
		if !c.begun {
			c.begun = true
			c.send(w.lines())
		}
		c.send(w.chunk())
	}
	return len(c.pending) == c.window
}

func (c *publisher) send(b []byte) {
	if err := c.socket.send(b); err != nil {
		c.fail(err)
	}
}

func (c *publisher) ready(events uint32) {
	if events&unix.EPOLLOUT != 0 && len(c.socket.out) > 0 {
		if err := c.socket.flush(); err != nil {
			c.fail(err)
			return
		}
	}
	if events&^unix.EPOLLOUT == 0 {
		return
	}
	b, fresh, err := c.socket.read(c.tail)
	if err == nil && b != nil {
		err = c.take(b, fresh)
	}
	if err != nil {
		c.fail(err)
		return
	}
	if b != nil {
		c.goOn()
	}
}

// goOn uses the room that answers have made. A stream of lines that is full is
// not among the free connections, and any other is back there when it is answered.
func (c *publisher) goOn() {
	if len(c.pending) < c.window && !c.free {
		c.free = true
		c.all.free = append(c.all.free, c)
	}
	c.all.Work()
}

func (c *publisher) take(b []byte, fresh int) (err error) {
	if c.lines {
		b, err = c.takeLines(b, fresh)
	} else {
		b, err = c.takeAnswer(b)
	}
	if err == nil {
		c.tail = append(c.tail[:0], b...)
	}
	return err
}

func (c *publisher) takeAnswer(b []byte) ([]byte, error) {
	status, body, n, err := parseAnswer(b)
	switch {
	case err != nil || n == 0:
		return b, err
	case len(c.pending) == 0:
		return nil, fmt.Errorf("an answer came that nobody asked for: %.100s", b)
	}
	r := c.pending[0]
	c.pending = c.pending[:0]
	if status != 200 {
		return nil, fmt.Errorf("a publish was refused with %d: %.300s", status, body)
	}
	return b[n:], c.accepted(&r, body)
}

// takeLines reads answers to lines. What was kept has no frames of chunks any more.
func (c *publisher) takeLines(b []byte, fresh int) ([]byte, error) {
	if !c.headed {
		h, n, err := parseHead(b)
		switch {
		case err != nil || n == 0:
			return b, err
		case h.status != 200 || !h.chunked:
			return nil, fmt.Errorf("a stream of lines was refused with %d: %.300s", h.status, b[n:])
		}
		c.headed, b, fresh = true, b[n:], 0
	}
	body, err := c.chunked.strip(b[fresh:])
	if err != nil {
		return nil, err
	}
	b = b[:fresh+len(body)]
	answered := 0
	for {
		n := bytes.IndexByte(b, '\n')
		if n < 0 {
			break
		}
		if answered == len(c.pending) {
			return nil, fmt.Errorf("a line was answered that nobody sent: %.100s", b[:n])
		}
		r := c.pending[answered]
		answered++
		line := b[:n]
		if !bytes.HasPrefix(line, []byte(`{"cursor":`)) && !bytes.HasPrefix(line, []byte(`{"events":`)) {
			return nil, fmt.Errorf("a line was refused with %.300s", line)
		}
		if err := c.accepted(&r, line); err != nil {
			return nil, err
		}
		b = b[n+1:]
	}
	c.pending = append(c.pending[:0], c.pending[answered:]...)
	return b, nil
}

// accepted writes into the ledger what the answer says. Whatever was sent after
// another answer had come must come after that in the one order that there is.
func (c *publisher) accepted(r *Request, answer []byte) (err error) {
	c.latest = max(c.latest, r.after)
	n := eachOffset(answer, func(i int64, offset uint64) {
		if offset > 0 && offset <= c.latest {
			err = fmt.Errorf("an event was accepted at offset %d after one at %d had been: %.300s", offset, c.latest, answer)
		}
		c.latest = max(c.latest, offset)
		c.all.ledger.add(r.Topic, r.first+i, offset)
	})
	if err == nil && n != r.events() {
		err = fmt.Errorf("the answer to %d events names %d: %.300s", r.events(), n, answer)
	}
	c.all.accepted(r, c.latest)
	return err
}

// fail gives the connection up. One that nothing is asked of may be closed by the
// server, after a while.
func (c *publisher) fail(err error) {
	if errors.Is(err, errEnded) && len(c.pending) == 0 && c.all.spare(c) {
		c.socket.close()
		return
	}
	c.all.loop.fail(fmt.Errorf("publisher %d: %w", c.number, err))
	c.socket.close()
}
