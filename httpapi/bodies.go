package httpapi

import (
	"io"
	"slices"
	"sync"
	"time"

	"github.com/navehub/nave"
)

const (
	// smallBody needs no room: it is more than most events take, and not much more
	// than a connection costs anyway.
	smallBody = 8 << 10
	// promptly is how long a body may be on its way before it may have to give way.
	promptly = time.Second
)

// bodies share out the memory of bodies, and of lines, that are arriving or being
// published.
//
// A body takes room for the bytes that are there, not for those that it announces.
// When there is none left, the body that has been arriving for longest gives way:
// senders that stall cannot keep others out, and who sends without delay is done
// before it is his turn.
type bodies struct {
	mu       sync.Mutex
	free     int64
	arriving []*buffer // the oldest first
}

// A buffer holds a body or a line. It takes room as it grows.
type buffer struct {
	// Set by whoever makes it, never changed.
	of  *bodies
	cut func() // ends the reading, from any goroutine

	// Owned by the reader.
	bytes []byte
	large bool // it has asked for room: others may know of it

	// Guarded by of.mu.
	taken   int64
	since   time.Time
	gaveWay bool
}

func (x *exchange) buffer() *buffer {
	return &buffer{of: &x.bodies, cut: func() { _ = x.rc.SetReadDeadline(time.Now()) }}
}

func errNoRoom(what string) error {
	return nave.Errorf(nave.CodeOverloaded,
		"the bodies that are arriving take all the memory that there is for them, and there is none for %s", what).After(time.Second)
}

// readAll reads to the end, and reports false if there was no room for that.
func (b *buffer) readAll(src io.Reader, limit int64) (room bool, err error) {
	for err == nil {
		if len(b.bytes) == cap(b.bytes) && !b.grow(1, limit) {
			return false, nil
		}
		var n int
		n, err = src.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
	}
	if err == io.EOF {
		err = nil
	}
	return true, err
}

// grow makes place for n bytes more, and some to spare within the limit.
func (b *buffer) grow(n int, limit int64) (room bool) {
	need := len(b.bytes) + n
	if need <= cap(b.bytes) {
		return true
	}
	size := max(need, min(2*cap(b.bytes), int(limit)+1), 512)
	if size > smallBody && !b.take(int64(size)) {
		return false
	}
	b.bytes = append(make([]byte, 0, size), b.bytes...)
	return true
}

// take sees to it that the buffer has so much room.
func (b *buffer) take(size int64) bool {
	b.large = true
	s := b.of
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.taken == 0 && !b.gaveWay {
		b.since = time.Now()
		s.arriving = append(s.arriving, b)
	}
	for need := size - b.taken; !b.gaveWay; {
		if s.free >= need {
			s.free -= need
			b.taken = size
			return true
		}
		if !s.clear() {
			break
		}
	}
	s.giveBack(b)
	return false
}

// clear makes the oldest give way, unless it has been quick so far. What it holds
// counts as free a moment before it is.
func (s *bodies) clear() bool {
	oldest := s.arriving[0] // at worst the one that asks
	if time.Since(oldest.since) < promptly {
		return false
	}
	oldest.gaveWay = true
	oldest.cut()
	s.giveBack(oldest)
	return true
}

// giveBack is called with mu held.
func (s *bodies) giveBack(b *buffer) {
	s.free += b.taken
	b.taken = 0
	s.keep(b)
}

// keep sees to it that b need not give way any more.
func (s *bodies) keep(b *buffer) {
	if i := slices.Index(s.arriving, b); i >= 0 {
		s.arriving = slices.Delete(s.arriving, i, i+1)
	}
}

// complete says that nothing is waited for any more: the buffer keeps what it
// has until it is released.
func (b *buffer) complete() {
	if !b.large {
		return
	}
	b.of.mu.Lock()
	defer b.of.mu.Unlock()
	b.of.keep(b)
}

// hasGivenWay reports whether reading was cut off in favour of others.
func (b *buffer) hasGivenWay() bool {
	if !b.large {
		return false
	}
	b.of.mu.Lock()
	defer b.of.mu.Unlock()
	return b.gaveWay
}

// release empties the buffer. What is small it keeps.
func (b *buffer) release() {
	b.bytes = b.bytes[:0]
	if cap(b.bytes) > smallBody {
		b.bytes = nil
	}
	if b.large {
		b.of.mu.Lock()
		defer b.of.mu.Unlock()
		b.of.giveBack(b)
	}
}

// restart makes the buffer ready for the next line.
func (b *buffer) restart() {
	b.release()
	b.gaveWay, b.large = false, false // nobody else knows of it any more
}
