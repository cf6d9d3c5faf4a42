package overload

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// reserved is what the hub keeps free of its files, for its log and itself.
const reserved = 320

// More connections than the hub may have, of every kind that costs it something:
// who is there already does not feel them, who finds no room is told so, and when
// they leave nothing of them is left.
func TestConnectionFlood(t *testing.T) {
	const byDefault = 20_000
	files, limit := many(1500, 16_000), byDefault
	var env []string
	if files < 16_000 {
		limit = files * 2 / 3
		env = append(env, fmt.Sprintf("NAVE_LIMITS_CONNECTIONS=%d", limit))
	}
	f := &connectionFlood{
		hub:   hubWith(t, files, env...),
		table: trial.NewTable(t, "connections", fmt.Sprintf("floods of connections on a hub with %d files and limits.connections %d", files, limit)),
		files: files, streams: min(limit, files-reserved),
	}
	f.crowd = gather(t, f.hub, 50, following(pulse), nil)
	f.pulse = newPulse(t, f.hub, f.crowd)
	f.idle = trial.Usage(t, f.hub)
	rounds := trial.Pick(1, 2)
	for range rounds {
		for _, k := range connectionKinds {
			t.Run(k.name, func(t *testing.T) { f.flood(t, k) })
		}
		t.Run("streams", f.floodStreams)
	}
	f.table.Count("streams of before that ended", f.crowd.Size-f.crowd.Count(func(s harness.Standing) bool {
		return s.Connected && s.Streams == 1
	}))
	goroutinesReturn(t, f.table, f.hub)
	memoryReturns(t, f.table, f.hub, f.afterwards())
}

// goroutinesReturn waits until there are only those that a hub always has. The
// figure is up to 15 seconds old.
func goroutinesReturn(t *testing.T, table *trial.Table, hub *harness.Process) {
	t.Helper()
	const always = 100
	n := trial.Eventually(t, func() (float64, bool) {
		n, err := metric(trial.Soon(t), hub, "go_goroutine_count")
		return n, err == nil && n <= always
	})
	table.Row("goroutines when it is over", fmt.Sprintf("at most %d", always), "%.0f", n)
}

// connectionFlood is a hub and who was there before.
type connectionFlood struct {
	hub            *harness.Process
	table          *trial.Table
	crowd          *harness.Crowd
	files, streams int
	pulse          *pulseOf
	idle           harness.Usage
}

// A connectionKind is what a connection of a flood says before it falls silent.
type connectionKind struct {
	name, says string
	// answers is how many answers come before the silence.
	answers  int
	bytes    int64         // that it may cost the hub, without garbage
	patience time.Duration // of the hub
}

const head = "POST /v1/events HTTP/1.1\r\nHost: hub\r\n"

var connectionKinds = []connectionKind{
	{"that say nothing", "", 0, 12 << 10, 10 * time.Second},
	{"that stop within the head", head + "X-Long: " + strings.Repeat("x", 16<<10), 0, 64 << 10, 10 * time.Second},
	{"that stop within the body", head + "Content-Length: 8192\r\n\r\n" + padding[:4096], 0, 32 << 10, 30 * time.Second},
	{"that stop within a line", head + "Content-Type: application/x-ndjson\r\nContent-Length: 8192\r\n\r\n" + padding[:4096], 1, 64 << 10, 30 * time.Second},
	{"that idle after an answer", "GET /livez HTTP/1.1\r\nHost: hub\r\n\r\n", 1, 24 << 10, 2 * time.Minute},
}

// flood opens more connections than there is room for.
func (f *connectionFlood) flood(t *testing.T, k connectionKind) {
	n := f.files - reserved + 300
	before, memory := trial.Usage(t, f.hub).RSS, watch(t, f.hub)
	conns, refused := open(t, f.hub, n, k)
	standing := trial.Usage(t, f.hub)
	f.others(t, k.name)
	f.table.Row(fmt.Sprintf("%d %s", n, k.name), "", "%d stay, %d closed at once or refused", len(conns), refused)
	f.letIn(t, k)
	if spare := f.files - standing.Descriptors; spare < reserved/2 {
		t.Errorf("%d files are left of %d", spare, f.files)
	}
	for _, c := range conns {
		c.Close()
	}
	most := int64(f.files - reserved) // those that the hub has ended meanwhile have cost it too
	f.over(t, k.name, memory, before+(most*k.bytes+32<<20)*3/2)
}

// letIn waits in the long form until the hub has ended enough of the connections by
// itself to let somebody else in.
func (f *connectionFlood) letIn(t *testing.T, k connectionKind) {
	if !trial.Long() {
		return
	}
	start := time.Now()
	trial.EventuallyWithin(t, 2*k.patience, func() (error, bool) {
		time.Sleep(100 * time.Millisecond)
		fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := fresh.Get(f.hub.URL("/livez"))
		if err == nil {
			resp.Body.Close()
		}
		return err, err == nil
	})
	f.table.Row("if they stay, somebody else is let in after", fmt.Sprintf("about %v", k.patience), "%v", time.Since(start).Round(100*time.Millisecond))
}

// open opens them, and waits until each has said what it has to say, and either has
// the answer or knows that it has no room.
func open(t *testing.T, hub *harness.Process, n int, k connectionKind) (staying []net.Conn, refused int) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	room := make(chan struct{}, 100)
	for i := range n {
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			conn, err := openOne(t.Context(), hub, i, k)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Errorf("connection %d: %v", i, err)
			case conn == nil:
				refused++
			default:
				staying = append(staying, conn)
			}
		})
	}
	all.Wait()
	return stillOpen(staying, &refused), refused
}

// openOne returns no connection if that was refused in a clear way.
func openOne(ctx context.Context, hub *harness.Process, i int, k connectionKind) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(sources(20_000)[i%3])}}
	conn, err := d.DialContext(ctx, "tcp", hub.Addr)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(noAnswer))
	_, err = io.WriteString(conn, k.says)
	if err == nil && k.answers > 0 {
		var resp *http.Response
		if resp, err = http.ReadResponse(bufio.NewReaderSize(conn, 512), nil); err == nil && resp.StatusCode != http.StatusOK {
			conn.Close()
			if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
				return nil, fmt.Errorf("refused with %s, Retry-After %q", resp.Status, resp.Header.Get("Retry-After"))
			}
			return nil, nil
		}
	}
	if err != nil {
		conn.Close()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, err
		}
		return nil, nil // closed at once
	}
	return conn, nil
}

// stillOpen sorts out what the hub has closed: one that closes at once does so
// after the connection was made.
func stillOpen(conns []net.Conn, refused *int) (open []net.Conn) {
	const enough = 200 * time.Millisecond // nothing tells that no more will be closed
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, c := range conns {
		all.Go(func() {
			_ = c.SetReadDeadline(time.Now().Add(enough))
			_, err := io.Copy(io.Discard, c)
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, os.ErrDeadlineExceeded) {
				open = append(open, c)
				return
			}
			c.Close()
			*refused++
		})
	}
	all.Wait()
	return open
}

// floodStreams lets more subscribe than may.
func (f *connectionFlood) floodStreams(t *testing.T) {
	n := f.streams + trial.Pick(150, 300)
	before, memory := trial.Usage(t, f.hub).RSS, watch(t, f.hub)
	c := &harness.Crowd{Addr: f.hub.Addr, Size: n, Filters: following("other/*"), Sources: sources(n)}
	t.Cleanup(c.Leave)
	c.Come(t.Context())
	decided := func(s harness.Standing) bool { return s.Connected || s.Refused+s.Unclear+s.Dropped > 0 }
	if err := c.Await(trial.Within(t, 2*time.Minute), n, decided); err != nil {
		t.Fatal(err)
	}
	f.others(t, "streams")
	stay := c.Count(harness.IsConnected)
	refused := c.Count(func(s harness.Standing) bool { return s.Refused > 0 })
	dropped := c.Count(func(s harness.Standing) bool { return s.Dropped > 0 })
	f.table.Row(fmt.Sprintf("%d more streams", n), "", "%d stay, %d refused with Retry-After, %d closed at once", stay, refused, dropped)
	f.table.Count("streams that were refused in another way", c.Count(func(s harness.Standing) bool { return s.Unclear > 0 }))
	if most := f.streams - f.crowd.Size; stay > most {
		t.Errorf("%d streams more are open; only %d should be", stay, most)
	}
	c.Leave()
	f.over(t, "streams", memory, before+(int64(stay)*(16<<10)+32<<20)*3/2)
}

// others checks that who was there before publishes and is served as always.
func (f *connectionFlood) others(t *testing.T, during string) {
	t.Helper()
	var slowest time.Duration
	for range 20 {
		_, all, err := f.pulse.beat(trial.Soon(t))
		if err != nil {
			t.Fatalf("during a flood of connections %s: %v", during, err)
		}
		slowest = max(slowest, all)
	}
	f.table.Row("meanwhile an event from publisher to all 50 streams of before", "", "at most %v", round(slowest))
}

// over waits until the hub is as before the flood.
func (f *connectionFlood) over(t *testing.T, what string, memory *meter, budget int64) {
	t.Helper()
	memory.end()
	start := time.Now()
	trial.EventuallyWithin(t, time.Minute, func() (string, bool) {
		u := trial.Usage(t, f.hub)
		return fmt.Sprintf("%d files; before %d", u.Descriptors, f.idle.Descriptors), u.Descriptors <= f.idle.Descriptors+8
	})
	back := time.Since(start) + f.pulse.recovers(t)
	within(t, f.table, what+": most RSS", memory.peak(), budget)
	recovered(t, f.table, what, back)
	if trial.Long() { // or the next flood would find the memory of this one
		awaitMemory(t, f.hub, f.afterwards())
	}
}

// afterwards is the memory that is left when a flood is over.
func (f *connectionFlood) afterwards() int64 {
	const remains = 4 << 10 // of a connection: what Go keeps for the next one
	return f.idle.RSS + 32<<20 + int64(f.files)*remains
}
