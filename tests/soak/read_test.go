package soak

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/navehub/nave/tests/harness"
)

var someFilters = [][]string{
	{"**"}, {"cards/*"}, {"session/*", "ui/**"}, {"cards/1", "cards/2", "session/1"}, {"passing/*"}, {"lines/**", "limited/*"},
}

// visit is a subscriber that comes, stays for a moment, goes, and comes back with
// its cursor; or with none, as somebody else.
func (s *soak) visit() worker {
	return func(ctx context.Context, rng *rand.Rand) {
		for ctx.Err() == nil {
			last := uint64(0)
			r := &harness.Subscriber{URL: s.url("/v1/events"), Filters: someFilters[rng.IntN(len(someFilters))], Forget: true}
			r.Each = func(e harness.Seen) {
				if e.Offset > 0 && e.Offset <= last {
					s.unordered(e.Offset, last)
				}
				last = max(last, e.Offset)
			}
			for range 1 + rng.IntN(5) {
				s.connect(ctx, rng, r)
			}
		}
	}
}

// visitSnapshot asks for the state first, each time.
func (s *soak) visitSnapshot() worker {
	return func(ctx context.Context, rng *rand.Rand) {
		for ctx.Err() == nil {
			s.connect(ctx, rng, &harness.Subscriber{
				URL: s.url("/v1/events"), Filters: someFilters[rng.IntN(2)], Forget: true, Snapshot: true,
			})
		}
	}
}

func (s *soak) connect(ctx context.Context, rng *rand.Rand, r *harness.Subscriber) {
	visit, leave := context.WithTimeout(ctx, time.Duration(50+rng.IntN(1500))*time.Millisecond)
	defer leave()
	if err := r.Connect(visit); visit.Err() == nil {
		s.mistake("a stream ends by itself: %v", err)
	}
	if r.Snapshot {
		s.did("snapshots that came and went", 1)
	} else {
		s.did("streams that came and went", 1)
	}
	pause(ctx, rng, 0, 500*time.Millisecond)
}

// get asks for something and reads all of it.
func (s *soak) get(ctx context.Context, accept, path string, query url.Values) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url(path)+"?"+query.Encode(), nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Accept", accept)
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, text, err
}

// visitLines follows in NDJSON for a moment.
func (s *soak) visitLines() worker {
	return func(ctx context.Context, rng *rand.Rand) {
		for ctx.Err() == nil {
			visit, leave := context.WithTimeout(ctx, time.Duration(50+rng.IntN(1500))*time.Millisecond)
			_, _, _ = s.get(visit, "application/x-ndjson", "/v1/events", url.Values{"topic": someFilters[rng.IntN(len(someFilters))]})
			if visit.Err() == nil {
				s.mistake("an NDJSON stream ends by itself")
			}
			leave()
			s.did("NDJSON streams that came and went", 1)
		}
	}
}

// page is what a poll is answered with.
type page struct {
	Cursor string
	Sync   struct{ Status, Reason string }
	Events []struct{ Offset uint64 }
}

// poll follows by long-polls, and now and then goes away before the answer.
func (s *soak) poll() worker {
	return func(ctx context.Context, rng *rand.Rand) {
		cursor, last := "", uint64(0)
		filters := someFilters[rng.IntN(len(someFilters))]
		for ctx.Err() == nil {
			patience := 5 * time.Second
			if rng.IntN(5) == 0 {
				patience = time.Duration(rng.IntN(200)) * time.Millisecond
			}
			try, cancel := context.WithTimeout(ctx, patience)
			query := url.Values{"topic": filters, "wait": {"1s"}}
			if cursor != "" {
				query.Set("cursor", cursor)
			}
			p, err := s.page(try, query)
			cancel()
			s.did("long-polls", 1)
			if err != nil {
				continue // it has gone
			}
			cursor = p.Cursor
			for _, e := range p.Events {
				if e.Offset > 0 && e.Offset <= last {
					s.unordered(e.Offset, last)
				}
				last = max(last, e.Offset)
			}
		}
	}
}

func (s *soak) page(ctx context.Context, query url.Values) (p page, err error) {
	status, text, err := s.get(ctx, "application/json", "/v1/events", query)
	if err != nil {
		return p, err
	}
	if status != http.StatusOK || json.Unmarshal(text, &p) != nil || p.Cursor == "" {
		s.mistake("a page: %d %.200s", status, text)
	}
	return p, nil
}

// readPages goes on from cursors of pages old and new. Those that are too old are
// told so.
func (s *soak) readPages() worker {
	return func(ctx context.Context, rng *rand.Rand) {
		cursors := []string{""}
		for ctx.Err() == nil {
			p, err := s.page(ctx, url.Values{"topic": {"cards/*"}, "cursor": {cursors[rng.IntN(len(cursors))]}})
			if err == nil {
				cursors = append(cursors[max(0, len(cursors)-100):], p.Cursor)
			}
			s.did("pages", 1)
			pause(ctx, rng, 50*time.Millisecond, 150*time.Millisecond)
		}
	}
}

func (s *soak) readState() worker {
	return func(ctx context.Context, rng *rand.Rand) {
		for ctx.Err() == nil {
			status, text, err := s.get(ctx, "application/json", "/v1/state", url.Values{"topic": someFilters[rng.IntN(len(someFilters))]})
			if err == nil && (status != http.StatusOK || !json.Valid(text)) {
				s.mistake("the state: %d, %d bytes", status, len(text))
			}
			s.did("states", 1)
			pause(ctx, rng, 100*time.Millisecond, 400*time.Millisecond)
		}
	}
}

// dial opens a connection and sends some text.
func (s *soak) dial(text string) (*net.TCPConn, error) {
	conn, err := net.Dial("tcp", s.hub.Addr)
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(conn, text)
	return conn.(*net.TCPConn), err
}

const wholeStream = "GET /v1/events?topic=** HTTP/1.1\r\nHost: hub\r\nAccept: text/event-stream\r\n\r\n"

// dawdle opens streams of everything and reads them slowly, or not at all, until
// the hub has enough of it, or it leaves without a word.
func (s *soak) dawdle() worker {
	return func(ctx context.Context, rng *rand.Rand) {
		for ctx.Err() == nil {
			conn, err := s.dial(wholeStream)
			if err != nil {
				s.mistake("a slow stream: %v", err)
				return
			}
			_ = conn.SetReadBuffer(4 << 10)
			stay, leave := context.WithTimeout(ctx, time.Duration(1+rng.IntN(8))*time.Second)
			if rng.IntN(2) == 0 {
				<-stay.Done()
			} else {
				readSlowly(stay, conn)
			}
			leave()
			goAway(conn, rng)
			s.did("streams that were read slowly, or not at all", 1)
		}
	}
}

func readSlowly(ctx context.Context, conn net.Conn) {
	r := bufio.NewReaderSize(conn, 4<<10)
	for ctx.Err() == nil {
		_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if _, err := r.Discard(2 << 10); err == io.EOF {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// goAway closes a connection, or resets it.
func goAway(conn *net.TCPConn, rng *rand.Rand) {
	if rng.IntN(2) == 0 {
		_ = conn.SetLinger(0)
	}
	conn.Close()
}

// breakOff begins requests and goes away in the middle.
func (s *soak) breakOff() worker {
	body := `{"topic":"scrap/0","type":"tick","data":"` + fmt.Sprintf("%0*d", 2000, 0) + `"}`
	post := fmt.Sprintf("POST /v1/events HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	requests := []string{
		"GET / HT", wholeStream, post,
		"GET /v1/events?topic=scrap/*&wait=30s&cursor=none-1 HTTP/1.1\r\nHost: hub\r\nAccept: application/json\r\n\r\n",
		"GET /v1/state?topic=** HTTP/1.1\r\nHost: hub\r\n\r\n",
		"GET /v1/events?topic=**&snapshot=true HTTP/1.1\r\nHost: hub\r\n\r\n",
	}
	return func(ctx context.Context, rng *rand.Rand) {
		for ctx.Err() == nil {
			text := requests[rng.IntN(len(requests))]
			if rng.IntN(2) == 0 {
				text = text[:rng.IntN(len(text))]
			}
			conn, err := s.dial(text)
			if err != nil {
				s.mistake("a request that breaks off: %v", err)
				return
			}
			pause(ctx, rng, 0, 50*time.Millisecond)
			goAway(conn, rng)
			s.did("requests that broke off", 1)
			pause(ctx, rng, 10*time.Millisecond, 100*time.Millisecond)
		}
	}
}
