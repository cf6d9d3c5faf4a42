package overload

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// bodiesInFlight sends very many large bodies at the same time, each in small
// pieces, so that all of them are there but for their ends. What the hub keeps of
// them is bounded, others publish meanwhile, and who is refused is told so.
func bodiesInFlight(t *testing.T, table *trial.Table) {
	senders, load := many(500, 2000), lasting(3*time.Second, 20*time.Second)
	hub := hubWith(t, 20_000)
	crowd := gather(t, hub, watchers, following("flood/**", pulse), nil)
	p := newPulse(t, hub, crowd)
	idle := trial.Usage(t, hub)
	memory := watch(t, hub)

	b := &bodies{hub: hub, body: largeBody(), pause: load / pieces, together: make(chan struct{})}
	b.away.Add(senders)
	small := publishSmall(t, hub)
	b.send(t, senders)
	took := small()
	memory.end()
	back := p.recovers(t)

	table.Row(fmt.Sprintf("%d bodies of 1 MiB at the same time", senders), "", "%d accepted, %d refused", b.yes, b.no)
	table.Count("bodies: answers that are neither a yes nor a 429 or 503 with Retry-After", report(t, b.other))
	within(t, table, "bodies: most RSS", memory.peak(), idle.RSS+budget(senders, 2))
	table.Count("bodies: small publishes meanwhile that were refused", took.refused)
	table.Row("bodies: small publishes meanwhile, p50, p99, most", "", "%v, %v, %v", took.at(50), took.at(99), took.at(100))
	recovered(t, table, "bodies", back)
}

// largeBody is a batch that is as large as a body may be.
func largeBody() []byte {
	const limit = 1 << 20
	var events []string
	for range 4 {
		events = append(events, `{"topic":"flood/large","type":"posted","data":"`+padding[:limit/4-200]+`"}`)
	}
	body := "[" + strings.Join(events, ",") + "]"
	return []byte(body + strings.Repeat(" ", limit-1-len(body)) + "\n")
}

// pieces is in how many a body is sent.
const pieces = 64

// bodies are sent by many at the same time.
type bodies struct {
	hub   *harness.Process
	body  []byte
	pause time.Duration

	away     sync.WaitGroup // who has neither sent all but the last piece, nor been answered
	together chan struct{}  // closed when nobody is away

	mu      sync.Mutex // guards all below
	yes, no int
	other   []string
}

func (b *bodies) send(t *testing.T, senders int) {
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			var once sync.Once
			arrived := func() { once.Do(b.away.Done) }
			defer arrived()
			accepted, err := b.sendOne(t.Context(), i, arrived)
			b.mu.Lock()
			defer b.mu.Unlock()
			switch {
			case err != nil:
				b.other = append(b.other, fmt.Sprintf("body %d: %v", i, err))
			case accepted:
				b.yes++
			default:
				b.no++
			}
		})
	}
	b.away.Wait()
	close(b.together)
	all.Wait()
}

// sendOne sends a body: a third of them say how long they are, a third come in
// chunks, and a third are lines.
func (b *bodies) sendOne(ctx context.Context, i int, arrived func()) (accepted bool, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", b.hub.Addr)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(3 * time.Minute))
	kind, framing, chunked := "application/json", fmt.Sprintf("Content-Length: %d", len(b.body)), i%3 > 0
	if chunked {
		framing = "Transfer-Encoding: chunked"
	}
	if i%3 == 2 {
		kind = "application/x-ndjson"
	}
	if _, err := fmt.Fprintf(conn, "POST /v1/events HTTP/1.1\r\nHost: hub\r\nConnection: close\r\nContent-Type: %s\r\n%s\r\n\r\n", kind, framing); err != nil {
		return false, err
	}
	answered := make(chan struct{})
	var told verdict
	go func() { // ends with the connection, which is waited for below
		defer close(answered)
		told = readVerdict(conn)
	}()
	b.write(conn, chunked, answered, arrived)
	<-answered
	return told.accepted, told.err
}

// write sends the body a piece at a time, the last one when everybody is there,
// until there is an answer.
func (b *bodies) write(conn net.Conn, chunked bool, answered <-chan struct{}, arrived func()) {
	size := len(b.body) / pieces
	for i := range pieces {
		wait := time.After(b.pause)
		if i == pieces-1 {
			arrived()
			wait = nil
		}
		select {
		case <-answered:
			return
		case <-wait:
		case <-b.alone(i):
		}
		piece := b.body[i*size : (i+1)*size]
		if chunked {
			end := ""
			if i == pieces-1 {
				end = "0\r\n\r\n"
			}
			piece = fmt.Appendf(nil, "%x\r\n%s\r\n%s", len(piece), piece, end)
		}
		if _, err := conn.Write(piece); err != nil {
			return // whoever refuses need not read on
		}
	}
}

// alone is when the last piece may go.
func (b *bodies) alone(piece int) <-chan struct{} {
	if piece < pieces-1 {
		return nil
	}
	return b.together
}

// A verdict is what the hub says to a body.
type verdict struct {
	accepted bool
	err      error
}

func readVerdict(conn net.Conn) verdict {
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return verdict{err: err}
	}
	defer resp.Body.Close()
	line, err := bufio.NewReader(resp.Body).ReadBytes('\n') // all, or the answer to the only line
	if err != nil {
		return verdict{err: fmt.Errorf("%s %q: %w", resp.Status, line, err)}
	}
	var a harness.Answer
	if err := json.Unmarshal(line, &a); err != nil {
		return verdict{err: fmt.Errorf("%s %q: %w", resp.Status, line, err)}
	}
	if len(a.Events) > 0 {
		return verdict{accepted: true}
	}
	if resp.StatusCode == http.StatusOK && clearCodes[a.Code] != 0 { // a line's
		return verdict{}
	}
	return verdict{err: clearRefusal(resp, a)}
}

// smallPublishes is how they fared.
type smallPublishes struct {
	durations
	refused int
}

// publishSmall publishes something small now and then, until it is asked how that
// went.
func publishSmall(t *testing.T, hub *harness.Process) (result func() *smallPublishes) {
	ctx, cancel := context.WithCancel(t.Context())
	var s smallPublishes
	var work sync.WaitGroup
	work.Go(func() {
		for ctx.Err() == nil {
			start := time.Now()
			a, err := harness.Publish(context.WithoutCancel(ctx), hub.URL("/v1/events"), harness.Event{Topic: "flood/small", Type: "small"})
			s.add(time.Since(start))
			if err != nil || a.Status != http.StatusOK {
				if s.refused++; s.refused <= 3 {
					t.Errorf("a small publish: %d %s %v", a.Status, a.Detail, err)
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() { cancel(); work.Wait() })
	return func() *smallPublishes {
		cancel()
		work.Wait()
		return &s
	}
}
