package overload

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/navehub/nave/tests/harness"
)

// noAnswer is when a publisher believes that the hub hangs.
const noAnswer = 30 * time.Second

// A flood is publishers that post as fast as they can, each over a connection of
// its own, and whatever they are told.
type flood struct {
	hub        *harness.Process
	publishers int
	topics     int
	seed       uint64
	name       string // of their events' source

	mu      sync.Mutex // guards all below
	acked   map[uint64]string
	sent    int
	bytes   int64
	refused map[int]int // by status
	other   []string
	took    durations // to a yes
	lasted  time.Duration
}

// pour lets them post for so long, and waits for the last answers.
func (f *flood) pour(ctx context.Context, load time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, load)
	defer cancel()
	start := time.Now()
	defer func() { f.lasted = time.Since(start) }()
	f.acked, f.refused = make(map[uint64]string), make(map[int]int)
	var all sync.WaitGroup
	for i := range f.publishers {
		p := &publisher{flood: f, number: i, random: rand.New(rand.NewPCG(f.seed, uint64(i)))}
		all.Go(func() { p.run(ctx) })
	}
	all.Wait()
}

func (f *flood) yes() int { return len(f.acked) }

// rate is how many events were accepted a second.
func (f *flood) rate() float64 { return float64(len(f.acked)) / f.lasted.Seconds() }

func (f *flood) no() (n int) {
	for _, k := range f.refused {
		n += k
	}
	return n
}

// A publisher is one of them.
type publisher struct {
	*flood
	number int
	count  int
	random *rand.Rand
	conn   net.Conn
	in     *bufio.Reader
}

func (p *publisher) run(ctx context.Context) {
	defer p.close()
	for ctx.Err() == nil {
		if err := p.post(ctx); err != nil {
			p.close()
			p.mu.Lock()
			p.other = append(p.other, fmt.Sprintf("publisher %d: %v", p.number, err))
			p.mu.Unlock()
			return
		}
	}
}

func (p *publisher) close() {
	if p.conn != nil {
		p.conn.Close()
		p.conn = nil
	}
}

func (p *publisher) connect(ctx context.Context) (err error) {
	if p.conn != nil {
		return nil
	}
	var d net.Dialer
	if p.conn, err = d.DialContext(context.WithoutCancel(ctx), "tcp", p.hub.Addr); err != nil {
		return err
	}
	p.in = bufio.NewReaderSize(p.conn, 1<<10)
	return nil
}

// post sends something and reads the answer, which must be a yes or a clear no.
func (p *publisher) post(ctx context.Context) error {
	if err := p.connect(ctx); err != nil {
		return err
	}
	ids, body := p.body()
	size := 0
	for _, piece := range body {
		size += len(piece)
	}
	head := fmt.Appendf(nil, "POST /v1/events HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", p.hub.Addr, size)
	start := time.Now()
	_ = p.conn.SetDeadline(start.Add(noAnswer))
	pieces := append(net.Buffers{head}, body...)
	_, written := pieces.WriteTo(p.conn) // a hub that refuses need not read all of it
	resp, err := http.ReadResponse(p.in, nil)
	if err != nil {
		return fmt.Errorf("no answer after %v to %d bytes (written: %v): %w", time.Since(start), size, written, err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.Close || written != nil {
		p.close()
	}
	return p.take(resp, text, ids, size, time.Since(start))
}

// take writes down what the answer was.
func (p *publisher) take(resp *http.Response, text []byte, ids []string, size int, took time.Duration) error {
	var a harness.Answer
	if err := json.Unmarshal(text, &a); err != nil {
		return fmt.Errorf("answer %s %q: %w", resp.Status, text, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent++
	p.bytes += int64(size)
	if resp.StatusCode == http.StatusOK && len(a.Events) == len(ids) {
		for i, e := range a.Events {
			if other, taken := p.acked[e.Offset]; taken {
				return fmt.Errorf("offset %d was given to %s and to %s", e.Offset, other, ids[i])
			}
			p.acked[e.Offset] = ids[i]
		}
		p.took.add(took)
		return nil
	}
	p.refused[resp.StatusCode]++
	return clearRefusal(resp, a)
}

// clearCodes are those of refusals that say when to come back.
var clearCodes = map[string]int{"busy": http.StatusTooManyRequests, "overloaded": http.StatusServiceUnavailable}

// clearRefusal says what a refusal lacks.
func clearRefusal(resp *http.Response, a harness.Answer) error {
	after, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	switch {
	case clearCodes[a.Code] != resp.StatusCode:
		return fmt.Errorf("refused with %s, code %q: %s", resp.Status, a.Code, a.Detail)
	case resp.Header.Get("Content-Type") != "application/problem+json":
		return fmt.Errorf("refused with %s as %q", resp.Status, resp.Header.Get("Content-Type"))
	case err != nil || after < 1:
		return fmt.Errorf("refused with %s and Retry-After %q", resp.Status, resp.Header.Get("Retry-After"))
	}
	return nil
}

// padding is what most of the data is made of.
var padding = strings.Repeat("x", 256<<10)

// body is one event of 200 bytes to 64 KiB, or now and then a batch of 1 MB.
func (p *publisher) body() (ids []string, body net.Buffers) {
	switch n := p.random.IntN(100); {
	case n < 60:
		return p.events(1, 200)
	case n < 85:
		return p.events(1, 4<<10)
	case n < 98:
		return p.events(1, 64<<10)
	}
	return p.events(4, 250_000)
}

func (p *publisher) events(n, size int) (ids []string, body net.Buffers) {
	mark := "["
	for range n {
		p.count++
		id := fmt.Sprintf("%s-%d-%d", p.name, p.number, p.count)
		ids = append(ids, id)
		head := fmt.Appendf(nil, `%s{"topic":"flood/%d","type":"posted","source":"%s","id":"%s","data":"`, mark, p.random.IntN(p.topics), p.name, id)
		body = append(body, head, []byte(padding[:size]), []byte(`"}`))
		mark = ","
	}
	if n == 1 {
		body[0] = body[0][1:]
		return ids, body
	}
	return ids, append(body, []byte("]"))
}
