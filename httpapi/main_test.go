package httpapi

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
	"github.com/navehub/nave/sse"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second // for what must happen, and happens at once

// A server is a hub in RAM behind its HTTP surface, on a real socket.
type server struct {
	t   *testing.T
	hub *hub.Hub
	*httptest.Server
}

func start(t *testing.T, config hub.Config, surface Config) *server {
	t.Helper()
	s := unstarted(t, config, surface)
	s.Start()
	return s
}

// startHTTP2 serves HTTP/2 only, with TLS.
func startHTTP2(t *testing.T, config hub.Config, surface Config) *server {
	t.Helper()
	s := unstarted(t, config, surface)
	s.EnableHTTP2 = true
	s.StartTLS()
	return s
}

func unstarted(t *testing.T, config hub.Config, surface Config) *server {
	t.Helper()
	config.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	if config.Authority == nil {
		config.Authority = auth.Open()
	}
	h := hub.New(config, memlog.Opener(eventlog.Options{}))
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	surface.Hub, surface.Logger = h, config.Logger
	handler := New(surface)
	var serving sync.WaitGroup // of streams too, which httptest does not wait for
	s := &server{t, h, httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serving.Add(1)
		defer serving.Done()
		handler.ServeHTTP(w, r)
	}))}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		s.Close()
		serving.Wait()
	})
	return s
}

// request makes one; headers are pairs.
func (s *server) request(method, path, body string, headers ...string) *http.Request {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// dial opens a connection of its own and sends it something.
func (s *server) dial(request string) net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, request); err != nil {
		s.t.Fatal(err)
	}
	return conn
}

func (s *server) do(method, path, body string, headers ...string) *answer {
	s.t.Helper()
	response, err := s.Client().Do(s.request(method, path, body, headers...))
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return &answer{s.t, response, string(text)}
}

func (s *server) publish(body string, headers ...string) publication {
	s.t.Helper()
	var p publication
	s.do("POST", "/v1/events", body, headers...).ok().decode(&p)
	return p
}

func (s *server) page(query string, headers ...string) pageView {
	s.t.Helper()
	var p pageView
	s.do("GET", "/v1/events?"+query, "", append(headers, "Accept", "application/json")...).ok().decode(&p)
	return p
}

// A pageView is a page as its reader sees it.
type pageView struct {
	Cursor string
	Sync   struct{ Status, Reason, Cursor, Snapshot string }
	Level  string
	Events []eventView
}

type eventView struct {
	Topic, Type, Key, ID, Source string
	Offset, Version              uint64
	Time                         time.Time
	Batch                        struct{ I, N int }
	Data                         json.RawMessage
}

func (p pageView) types() string {
	var types []string
	for _, e := range p.Events {
		types = append(types, e.Type)
	}
	return strings.Join(types, " ")
}

// An answer is a response that has been read.
type answer struct {
	t *testing.T
	*http.Response
	body string
}

func (a *answer) ok() *answer {
	a.t.Helper()
	if a.StatusCode != http.StatusOK {
		a.t.Fatalf("%s: %s", a.Status, a.body)
	}
	return a
}

func (a *answer) decode(v any) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		a.t.Fatalf("%v in %s", err, a.body)
	}
}

// refused checks that the answer is a complete problem document.
func (a *answer) refused(code nave.Code, detail string) *answer {
	a.t.Helper()
	checkProblem(a.t, a.body, code, detail)
	if got := a.Header.Get("Content-Type"); got != problemType {
		a.t.Errorf("content type = %q", got)
	}
	if want := kinds[code].status; a.StatusCode != want {
		a.t.Errorf("status = %d, want %d", a.StatusCode, want)
	}
	if kinds[code].retry && a.Header.Get("Retry-After") == "" {
		a.t.Error("no Retry-After")
	}
	return a
}

func checkProblem(t *testing.T, body string, code nave.Code, detail string) {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if p.Code != code || p.Type != problemBase+string(code) || p.Status != kinds[code].status || p.Title == "" || p.Detail == "" {
		t.Errorf("problem = %+v, want code %s", p, code)
	}
	if !strings.Contains(p.Detail, detail) {
		t.Errorf("detail = %q, want %q in it", p.Detail, detail)
	}
}

// A stream is a subscription as its client sees it.
type stream struct {
	t        *testing.T
	response *http.Response
	events   chan sse.Event // closed at the end
	cancel   context.CancelFunc
}

func (s *server) subscribe(query string, headers ...string) *stream {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	response, err := s.Client().Do(s.request("GET", "/v1/events?"+query, "", headers...).WithContext(ctx))
	if err != nil {
		s.t.Fatal(err)
	}
	c := &stream{t: s.t, response: response, events: make(chan sse.Event), cancel: cancel}
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(response.Body)
		s.t.Fatalf("%s: %s", response.Status, body)
	}
	go func() {
		defer close(c.events)
		defer response.Body.Close()
		for r := sse.NewReader(response.Body); ; {
			e, err := r.Next()
			if err != nil {
				return
			}
			select {
			case c.events <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	s.t.Cleanup(c.leave)
	return c
}

func (c *stream) leave() {
	c.cancel()
	for range c.events {
	}
}

// next is the next event that is not a heartbeat.
func (c *stream) next() sse.Event {
	c.t.Helper()
	for {
		select {
		case e, ok := <-c.events:
			if !ok {
				c.t.Fatal("the stream has ended")
			}
			if e.Name != "hub.heartbeat" {
				return e
			}
		case <-time.After(patience):
			c.t.Fatal("no event came")
		}
	}
}

func (c *stream) expect(names ...string) (last sse.Event) {
	c.t.Helper()
	for _, name := range names {
		if last = c.next(); last.Name != name {
			c.t.Fatalf("event = %q %s, want %s", last.Name, last.Data, name)
		}
	}
	return last
}
