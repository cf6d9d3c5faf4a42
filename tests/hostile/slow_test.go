package hostile

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// A slowness is what many connections do at once that hope to be waited for.
type slowness struct {
	name string
	head string // sent at once
	drip string // sent every second, for ever
	deaf bool   // reads nothing
	// The hub lets go of it within this time; 0 means that it need not.
	limit time.Duration
	// says is in what it answers.
	says string
	// most is how many there are at most; 0 for no bound.
	most int
}

// Limits of the hub, and what a busy machine adds.
const (
	headTime  = 10 * time.Second
	bodyTime  = 30 * time.Second
	writeTime = 10 * time.Second
	idleTime  = 2 * time.Minute
	slack     = 15 * time.Second
)

func slownesses(page string) []slowness {
	const few = 4 // as answers that fill the buffers of a socket take long to make
	const lines = "Content-Type: application/x-ndjson\r\n"
	unsent := func(line string, headers ...string) string {
		return request(line, "", append(headers, "Content-Length: 1000")...) + "{"
	}
	all := []slowness{
		{name: "silence", limit: headTime},
		{name: "a request line", head: "GET /", drip: "x", limit: headTime},
		{name: "headers", head: "GET /livez HTTP/1.1\r\nHost: hub\r\nX: ", drip: "x", limit: headTime},
		{name: "headers, line by line", head: "GET /livez HTTP/1.1\r\nHost: hub\r\n", drip: "X: y\r\n", limit: headTime},
		{name: "a body", head: unsent("POST /v1/events HTTP/1.1"), drip: " ", limit: bodyTime, says: "the body has not arrived within 30s"},
		{name: "a body in chunks", head: postHead + "Transfer-Encoding: chunked\r\n\r\n", drip: "1\r\n \r\n", limit: bodyTime, says: "the body has not arrived within 30s"},
		{name: "a line", head: postHead + lines + "Content-Length: 1000000\r\n\r\n" + event + "\n{", drip: " ", limit: bodyTime, says: "the line has not arrived within 30s"},
		{name: "the last byte of 1 MiB", head: postHead + "Content-Length: 1048576\r\n\r\n" + strings.Repeat(" ", 1<<20-1), limit: bodyTime, says: `"status":`},
		{name: "the end of a line of 1 MiB", head: postHead + lines + "Content-Length: 10000000000\r\n\r\n" + strings.Repeat(" ", 1<<20-1), limit: bodyTime, says: `"status":`},
		{name: "a body that is refused", head: unsent("POST /v1/events HTTP/1.1", "Content-Encoding: gzip"), drip: " ", limit: bodyTime, says: "send the body as it is"},
		{name: "a body for no path", head: unsent("POST //v1/events HTTP/1.1"), drip: " ", limit: bodyTime, says: "there is nothing at"},
		{name: "a body for metrics", head: unsent("GET /metrics HTTP/1.1"), drip: " ", limit: bodyTime},
		{name: "a body for a probe", head: unsent("GET /livez HTTP/1.1"), drip: " ", limit: bodyTime},
		{name: "a body for a preflight", head: unsent("OPTIONS /v1/events HTTP/1.1", "Access-Control-Request-Method: POST"), drip: " ", limit: bodyTime},
		{name: "a body for OPTIONS *", head: unsent("OPTIONS * HTTP/1.1"), drip: " ", limit: bodyTime},
		{name: "a body for CONNECT", head: unsent("CONNECT a:1 HTTP/1.1"), drip: " ", limit: bodyTime},
		{name: "reading metrics", head: strings.Repeat(get("/metrics"), 2000), deaf: true, limit: 2 * bodyTime, most: few}, // a busy machine makes few a second
		{name: "reading probes", head: strings.Repeat(get("/livez"), 50_000), deaf: true, limit: writeTime, most: few},
		{name: "reading refusals", head: strings.Repeat(get("/"+strings.Repeat("x", 100)), 20_000), deaf: true, limit: writeTime, most: few},
		{name: "reading a page", head: strings.Repeat(get(page, "Accept: application/json"), 100), deaf: true, limit: writeTime},
		{name: "reading the answers to lines", head: postHead + lines + "Content-Length: 10000000000\r\n\r\n" + strings.Repeat("[]\n", 100_000), deaf: true, limit: writeTime, most: few},
		// These may stay for as long as they like: they cost next to nothing.
		{name: "more behind a stream", head: get("/v1/events?topic=hostile/*") + strings.Repeat("x", 10_000), drip: "x", says: `"status":"live"`},
		{name: "empty lines after one of 1 MiB", head: postHead + lines + "Content-Length: 10000000000\r\n\r\n" + event + strings.Repeat(" ", 1<<20-len(event)-1) + "\n", drip: "\n", says: "\r\n{"},
	}
	if trial.Long() {
		all = append(all, slowness{name: "another request", head: get("/livez"), limit: idleTime, says: "alive"})
	}
	return all
}

// trySlow opens hundreds of connections at once that send, or read, next to
// nothing, and sees that the hub lets go of each in time.
func trySlow(t *testing.T, g *ground) {
	large := harness.Event{Topic: "large/1", Type: "t", Data: strings.Repeat("x", 200<<10)}
	cursor := trial.Publish(t, g.hub, large, large, large, large).Cursor
	page := "/v1/events?topic=large/*&cursor=" + cursor[:strings.Index(cursor, "-")] + "-0"
	kinds := slownesses(page)
	for round := range trial.Pick(1, 3) {
		r := g.begin(fmt.Sprintf("slow, %d kinds at once", len(kinds)))
		c := &crowd{each: trial.Pick(27, 150)}
		for i := range kinds {
			if err := c.open(g.hub.Addr, &kinds[i]); err != nil {
				t.Fatal(err)
			}
		}
		c.opened = time.Now() // which took a while
		t.Logf("round %d: %d connections are open", round, len(c.members))
		r.together = len(c.members)
		c.wait(t, g, r)
		c.close()
		c.judge(t, r)
		g.after(t, r, "all of them")
		g.finish(t, r)
	}
	g.end(t)
}

// A crowd is all of their connections.
type crowd struct {
	each    int
	opened  time.Time
	members []*member
	writers sync.WaitGroup
	readers sync.WaitGroup
}

type member struct {
	*slowness
	conn net.Conn
	held bool // by the hub, when last looked

	heard strings.Builder // owned by its reader
}

func (c *crowd) open(addr string, s *slowness) error {
	for range min(c.each, cmp.Or(s.most, c.each)) {
		conn, err := s.dial(addr)
		if err != nil {
			return err
		}
		m := &member{slowness: s, conn: conn, held: true}
		c.members = append(c.members, m)
		c.writers.Go(m.write)
		if !s.deaf {
			c.readers.Go(func() { _, _ = io.Copy(&m.heard, conn) }) // until the connection ends
		}
	}
	return nil
}

// dial gives who is deaf a small buffer, so that it is soon full.
func (s *slowness) dial(addr string) (net.Conn, error) {
	var d net.Dialer
	if s.deaf {
		d.Control = func(_, _ string, raw syscall.RawConn) (err error) {
			failed := raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10) })
			return errors.Join(failed, err)
		}
	}
	return d.Dial("tcp", addr)
}

// write ends with the connection.
func (m *member) write() {
	_, err := io.WriteString(m.conn, m.head)
	for err == nil && m.drip != "" {
		time.Sleep(time.Second)
		_, err = io.WriteString(m.conn, m.drip)
	}
}

// wait looks, until the last limit is over, which connections the hub still has.
func (c *crowd) wait(t *testing.T, g *ground, r *row) {
	for logged := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		held, err := connections(g.hub)
		if err != nil {
			t.Fatal(err)
		}
		now, waiting := time.Since(c.opened), 0
		for _, m := range c.members {
			_, port, _ := net.SplitHostPort(m.conn.LocalAddr().String())
			m.held = m.held && held[port]
			if m.held && m.limit > 0 && now < m.limit+slack {
				waiting++
			}
		}
		if waiting == 0 {
			return
		}
		g.after(t, r, fmt.Sprintf("%v of slowness", now.Round(time.Second)))
		if time.Since(logged) > 10*time.Second {
			logged = time.Now()
			t.Logf("after %v the hub still has %d connections", now.Round(time.Second), waiting)
		}
	}
}

func (c *crowd) close() {
	for _, m := range c.members {
		m.conn.Close()
	}
	c.writers.Wait()
	c.readers.Wait()
}

// judge counts what the hub did not do.
func (c *crowd) judge(t *testing.T, r *row) {
	late, gone, silent := map[string]int{}, map[string]int{}, map[string]int{}
	for _, m := range c.members {
		r.attacks++
		if strings.Contains(m.heard.String(), `/errors.md#`) {
			r.problems++
		}
		if !m.held {
			r.closed++
		}
		switch {
		case m.limit > 0 && m.held:
			late[m.name]++
		case m.limit == 0 && !m.held && !strings.Contains(m.heard.String(), `"overloaded"`): // it had to give way
			gone[m.name]++
		case !strings.Contains(m.heard.String(), m.says):
			silent[m.name+", "+fmt.Sprintf("%.60q", m.heard.String())]++
		default:
			continue
		}
		r.wrong++
	}
	for what, counts := range map[string]map[string]int{
		"is waited for, longer than it may be": late, "may stay, and was cut off": gone, "does not hear what it must": silent,
	} {
		for name, n := range counts {
			t.Errorf("who is slow with %s %s: %d times", name, what, n)
		}
	}
}
