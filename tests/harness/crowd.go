package harness

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"
)

// A Crowd is many light subscribers: a goroutine, a connection and some KiB each.
// They write down no events, but count them, check their order, and keep a sum
// that tells whether they were the right ones.
//
// A member resumes by its cursor alone. As with a Subscriber, what it has received
// counts only once a cursor has come.
type Crowd struct {
	Addr string // of the hub, host:port
	Size int
	// Filters are those of a member.
	Filters func(member int) []string
	// Sources are the local addresses that members connect from, in turn; none
	// leaves it to the system, which has some 28,000 ports an address.
	Sources []string
	// From is the cursor of members that have none yet; "" begins with what comes.
	From string
	// Buffer is how much a member reads at once. Defaults to 4 KiB.
	Buffer int
	// Again, if not 0, is how long a member that has no stream any more waits
	// before it comes back, at least as long as it was told. It may be changed
	// while nobody is there.
	Again time.Duration
	// Saw, if set, is called with every event, on the member's goroutine.
	Saw func(Heard)

	members []*member
	there   sync.WaitGroup
	leave   context.CancelFunc
}

// Heard is an event as a member hears it.
type Heard struct {
	Member int
	Offset uint64
	At     time.Time
	// Line is the beginning of the event's JSON, good until the call returns.
	Line []byte
}

// A Tally is what was received, without each of it.
type Tally struct {
	Events int
	Last   uint64 // offset
	// Sum is the same for the same offsets, and for others almost surely another.
	Sum uint64
	// Disorder counts offsets that did not come after the one before, doubles too.
	Disorder int
}

// Add counts one more event.
func (t *Tally) Add(offset uint64) {
	t.Events++
	t.Sum += mix(offset)
	if offset <= t.Last {
		t.Disorder++
	}
	t.Last = max(t.Last, offset)
}

// TallyOf is the tally of somebody who has received the offsets.
func TallyOf(offsets []uint64) (t Tally) {
	for _, o := range offsets {
		t.Add(o)
	}
	return t
}

// mix is the finalizer of splitmix64.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// A Standing is how a member fares.
type Standing struct {
	Tally
	// Connected is true from the verdict until the stream ends.
	Connected bool
	// Streams counts those that began; Live, Recovered and Resets the verdicts.
	Streams, Live, Recovered, Resets int
	// Byes counts the streams that the hub ended with a word.
	Byes int
	// Refused counts answers 429 and 503 that say when to come back, Unclear all
	// others that are not 200, Dropped connections that ended without answer.
	Refused, Unclear, Dropped int
	// Failure is why the latest connection did not become a stream.
	Failure error
}

// Come lets everybody connect, at once. A member stays until its stream ends, or
// ctx does. Nobody must be there.
func (c *Crowd) Come(ctx context.Context) {
	for i := len(c.members); i < c.Size; i++ {
		c.members = append(c.members, &member{crowd: c, number: i, cursor: []byte(c.From)})
	}
	ctx, c.leave = context.WithCancel(ctx)
	for _, m := range c.members {
		c.there.Go(func() { m.visit(ctx) })
	}
}

// Leave cuts all connections, and returns when everybody is gone.
func (c *Crowd) Leave() {
	if c.leave != nil {
		c.leave()
	}
	c.there.Wait()
}

// Gone returns when everybody's stream has ended. Only for a crowd that does not
// come back by itself.
func (c *Crowd) Gone() { c.there.Wait() }

// Standing is how a member fares now.
func (c *Crowd) Standing(member int) Standing { return c.members[member].standing() }

// Standings are those of all members.
func (c *Crowd) Standings() []Standing {
	all := make([]Standing, len(c.members))
	for i, m := range c.members {
		all[i] = m.standing()
	}
	return all
}

// Count is how many members are as asked.
func (c *Crowd) Count(are func(Standing) bool) (n int) {
	for _, m := range c.members {
		if are(m.standing()) {
			n++
		}
	}
	return n
}

// Await returns once n members are as asked.
func (c *Crowd) Await(ctx context.Context, n int, are func(Standing) bool) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		now := c.Count(are)
		if now >= n {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d, wanted %d: %w%s", now, len(c.members), n, context.Cause(ctx), c.failure())
		}
	}
}

// failure is why somebody has no stream.
func (c *Crowd) failure() string {
	for i, m := range c.members {
		if s := m.standing(); !s.Connected && s.Failure != nil {
			return fmt.Sprintf("; member %d: %v", i, s.Failure)
		}
	}
	return ""
}

// IsConnected is for Await.
func IsConnected(s Standing) bool { return s.Connected }

// Reached is for Await: whoever has received the offset, or a later one.
func Reached(offset uint64) func(Standing) bool {
	return func(s Standing) bool { return s.Last >= offset }
}

// A member is one subscriber of a crowd.
type member struct {
	crowd  *Crowd
	number int

	mu     sync.Mutex // guards all below
	now    Standing   // its Tally up to the last cursor
	heard  Tally      // with what waits for a cursor
	cursor []byte
}

func (m *member) standing() Standing {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *member) note(change func(*Standing)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.now)
}

func (m *member) visit(ctx context.Context) {
	for ctx.Err() == nil {
		wait := m.stay(ctx)
		if m.crowd.Again == 0 {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(max(wait, m.crowd.Again)):
		}
	}
}

// stay follows one stream to its end. wait is when the hub wants to be asked again.
func (m *member) stay(ctx context.Context) (wait time.Duration) {
	conn, err := m.dial(ctx)
	if err != nil {
		m.dropped(ctx, err)
		return 0
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer func() {
		stop()
		conn.Close()
		m.note(func(s *Standing) { s.Connected = false })
	}()
	if _, err := conn.Write(m.request()); err != nil {
		m.dropped(ctx, err)
		return 0
	}
	size := m.crowd.Buffer
	if size == 0 {
		size = 4 << 10
	}
	lines := &lineHeads{conn: conn, buf: make([]byte, size)}
	if wait, ok := m.answer(ctx, lines); !ok {
		return wait
	}
	m.listen(lines)
	return 0
}

// dropped takes note of a connection that ended without answer, by itself.
func (m *member) dropped(ctx context.Context, err error) {
	if ctx.Err() == nil {
		m.note(func(s *Standing) { s.Dropped, s.Failure = s.Dropped+1, err })
	}
}

func (m *member) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	if n := len(m.crowd.Sources); n > 0 {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(m.crowd.Sources[m.number%n])}
	}
	return d.DialContext(ctx, "tcp", m.crowd.Addr)
}

func (m *member) request() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	query := url.Values{"topic": m.crowd.Filters(m.number)}
	b := fmt.Appendf(nil, "GET /v1/events?%s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n", query.Encode(), m.crowd.Addr)
	if len(m.cursor) > 0 {
		b = fmt.Appendf(b, "Last-Event-ID: %s\r\n", m.cursor)
	}
	return append(b, "\r\n"...)
}
