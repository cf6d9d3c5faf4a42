//go:build linux

package load

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Cursor is where a subscriber stands.
type Cursor struct {
	Epoch  []byte
	Offset uint64

	got Tally
}

// A Subscriber follows topics on one connection at a time.
type Subscriber struct {
	crowd  *Crowd
	socket socket
	follow Follow
	number int

	phase   phase
	chunked bool
	chunks  chunks
	tail    []byte // of what was read, the unfinished part

	epoch  []byte // nil without cursor
	cursor uint64
	latest uint64  // offset on this connection; of a batch only the last event has a cursor
	bare   []int64 // the latest event without offset on this connection, by publisher
	floor  int64   // all before it were accepted when one was sent that has come here
	got    Tally   // with what the ledger had before the subscriber was added
}

type phase uint8

const (
	away      phase = iota
	asking          // for the head of the answer
	beginning       // until the server says where the stream begins
	live
)

// Cursor is where it stands.
func (s *Subscriber) Cursor() Cursor { return Cursor{s.epoch, s.cursor, s.got} }

// Leave closes the connection; what was not read of it is forgotten.
func (s *Subscriber) Leave() {
	s.socket.close()
	s.crowd.loop.release(s.tail)
	s.tail = nil
	if s.phase == asking || s.phase == beginning {
		s.crowd.opened()
	}
	s.phase = away
}

// Return connects again, with the cursor.
func (s *Subscriber) Return() {
	s.crowd.waiting = append(s.crowd.waiting, s)
	s.crowd.pump()
}

// Live reports whether it has been told where its stream begins.
func (s *Subscriber) Live() bool { return s.phase == live }

func (s *Subscriber) begin() {
	s.phase, s.chunked, s.chunks = asking, false, chunks{}
	s.latest, s.bare, s.floor = s.cursor, nil, 0
	err := s.socket.open(s.crowd.server, s)
	if err == nil {
		err = s.socket.send(s.request())
	}
	if err != nil {
		s.fail(err)
	}
}

func (s *Subscriber) request() []byte {
	b := make([]byte, 0, 1024)
	b = append(b, "GET /v1/events?topic="...)
	b = append(b, strings.Join(s.follow.Filters, "&topic=")...)
	b = append(b, " HTTP/1.1\r\n"...)
	b = s.crowd.to.appendHost(b)
	b = append(b, "Accept: text/event-stream\r\n"...)
	if s.epoch != nil {
		b = append(b, "Last-Event-ID: "...)
		b = append(b, s.epoch...)
		b = append(b, '-')
		b = strconv.AppendUint(b, s.cursor, 10)
		b = append(b, "\r\n"...)
	}
	return append(b, "\r\n"...)
}

func (s *Subscriber) ready(events uint32) {
	if events&unix.EPOLLOUT != 0 && len(s.socket.out) > 0 {
		if err := s.socket.flush(); err != nil {
			s.fail(err)
			return
		}
	}
	if events&^unix.EPOLLOUT == 0 {
		return
	}
	b, fresh, err := s.socket.read(s.tail)
	if err == nil && b != nil {
		err = s.take(b, fresh)
	}
	if err != nil {
		s.fail(err)
	}
}

// take reads all that is complete and keeps the rest.
func (s *Subscriber) take(b []byte, fresh int) (err error) {
	if s.phase == asking {
		if b, err = s.head(b); err != nil {
			return err
		}
		fresh = 0
	}
	if s.phase != asking && s.chunked {
		body, err := s.chunks.strip(b[fresh:])
		if err != nil {
			return err
		}
		b = b[:fresh+len(body)]
	}
	for s.phase != asking {
		var k block
		n := k.parse(b)
		if n == 0 {
			break
		}
		b = b[n:]
		if err := s.receive(&k); err != nil {
			return err
		}
	}
	if s.chunks.phase == atEnd {
		return errEnded
	}
	old := s.tail
	s.tail = s.crowd.loop.keep(b)
	s.crowd.loop.release(old)
	return nil
}

func (s *Subscriber) head(b []byte) ([]byte, error) {
	h, n, err := parseHead(b)
	switch {
	case err != nil || n == 0:
		return b, err
	case h.status != 200:
		return nil, fmt.Errorf("refused with %d: %.300s", h.status, b[n:])
	}
	s.phase, s.chunked = beginning, h.chunked
	return b[n:], nil
}

func (s *Subscriber) receive(k *block) error {
	if k.isHubs() {
		return s.heed(k)
	}
	e, ok := k.event()
	if !ok {
		return fmt.Errorf("an event has other data than was published: %.300q", k.data)
	}
	if err := s.order(k, &e); err != nil {
		return err
	}
	s.got.add(e.seq, e.offset)
	c := s.crowd
	c.Events++
	now := c.loop.now
	c.Latency.record(e.due, now)
	if c.Received != nil {
		c.Received(e.seq)
	}
	return nil
}

// order checks that the event comes after the one before.
func (s *Subscriber) order(k *block, e *event) error {
	if k.id != nil {
		_, offset, ok := k.cursor()
		if !ok || offset != e.offset {
			return fmt.Errorf("an event has the id %q and the offset %d: they must be the same", k.id, e.offset)
		}
		s.cursor = offset
	}
	if e.offset > 0 {
		if e.offset <= s.latest {
			return fmt.Errorf("an event has the offset %d after %d: it must rise", e.offset, s.latest)
		}
		s.latest = e.offset
		return nil
	}
	return s.bareOrder(e)
}

// bareOrder checks what is known of the order without offsets: a publisher's events
// keep theirs, and one that was sent when another had been accepted comes after it.
func (s *Subscriber) bareOrder(e *event) error {
	for len(s.bare) <= e.by {
		s.bare = append(s.bare, -1)
	}
	if e.seq <= s.bare[e.by] {
		return fmt.Errorf("event %d came after event %d of the same publisher", e.seq, s.bare[e.by])
	}
	if e.seq < s.floor {
		return fmt.Errorf("event %d came after one that was sent when all before event %d had been accepted", e.seq, s.floor)
	}
	s.bare[e.by], s.floor = e.seq, max(s.floor, e.after)
	return nil
}

// heed reads what the server says about the stream itself.
func (s *Subscriber) heed(k *block) error {
	if k.id != nil {
		epoch, offset, ok := k.cursor()
		if !ok || offset < s.latest {
			return fmt.Errorf("%s has the id %q after offset %d: it must not fall", k.kind, k.id, s.latest)
		}
		s.cursor, s.latest, s.epoch = offset, offset, s.crowd.epochOf(epoch)
	}
	data := string(k.data)
	switch kind := string(k.kind); {
	case kind == "hub.bye":
		return fmt.Errorf("the server ended the stream: %s", data)
	case kind != "hub.sync":
	case strings.Contains(data, `"status":"reset"`):
		return fmt.Errorf("the cursor was not good any more: %s", data)
	case s.phase == beginning:
		s.phase = live
		s.crowd.opened()
	}
	return nil
}

// epochOf is a copy that all share, since it is the same for all.
func (c *Crowd) epochOf(epoch []byte) []byte {
	if string(c.epoch) != string(epoch) {
		c.epoch = append([]byte(nil), epoch...)
	}
	return c.epoch
}

func (s *Subscriber) fail(err error) {
	s.crowd.loop.fail(s.wrong("%w", err))
	s.socket.close()
	s.phase = away
}

func (s *Subscriber) wrong(format string, args ...any) error {
	return fmt.Errorf("subscriber %d of %s: %w", s.number, strings.Join(s.follow.Filters, ", "), fmt.Errorf(format, args...))
}
