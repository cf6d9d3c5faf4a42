package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
	"github.com/navehub/nave/sse"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a hub in RAM until the test ends. Inside a synctest bubble its time
// is the test's.
func start(t *testing.T, config Config) *Hub {
	t.Helper()
	return startOn(t, config, memlog.Opener(eventlog.Options{}))
}

func startOn(t *testing.T, config Config, open eventlog.Opener) *Hub {
	t.Helper()
	config.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := New(config, open)
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		time.Sleep(time.Microsecond) // fake: lets the goroutine of protoactor's dead letters end
	})
	return h
}

// bubble runs f with fake time.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func event(topic, typ string, data any) nave.Event {
	b, _ := json.Marshal(data)
	return nave.Event{Topic: nave.Topic(topic), Type: typ, Data: b}
}

func publish1(t *testing.T, h *Hub, events ...nave.Event) Published {
	t.Helper()
	p, err := h.Publish(t.Context(), events...)
	if err != nil {
		t.Fatalf("Publish: %v", err)
	}
	return p
}

// A stream is a client's connection as its browser sees it: a transport that
// keeps what is written, and can be made to take nothing.
type stream struct {
	mu      sync.Mutex
	written bytes.Buffer
	stuck   chan struct{} // while not nil, writes wait
	closed  bool
	gone    func()
}

func (s *stream) Write(pieces [][]byte, timeout time.Duration) error {
	s.mu.Lock()
	stuck := s.stuck
	s.mu.Unlock()
	if stuck != nil {
		select {
		case <-stuck:
		case <-time.After(timeout):
			return errors.New("write timeout")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("closed")
	}
	for _, p := range pieces {
		s.written.Write(p)
	}
	return nil
}

func (s *stream) OnGone(gone func()) { s.gone = gone }
func (s *stream) Protocol() string   { return "test" }

func (s *stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

func (s *stream) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// stall makes writes wait until the returned function is called.
func (s *stream) stall() (resume func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stuck = make(chan struct{})
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		close(s.stuck)
		s.stuck = nil
	}
}

// await waits until the event at an offset has been written; for tests in real time.
func (s *stream) await(t *testing.T, offset uint64) {
	t.Helper()
	needle := []byte(`"offset":` + strconv.FormatUint(offset, 10) + ",")
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		s.mu.Lock()
		found := bytes.Contains(s.written.Bytes()[max(0, s.written.Len()-1024):], needle)
		s.mu.Unlock()
		if found {
			return
		}
	}
	t.Fatalf("event %d is not written", offset)
}

// events parses what has been written so far, as a browser would.
func (s *stream) events(t *testing.T) []sse.Event {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	r := sse.NewReader(bytes.NewReader(s.written.Bytes()))
	var all []sse.Event
	for {
		e, err := r.Next()
		if err != nil {
			return all
		}
		all = append(all, e)
	}
}

// body is the data of an event frame.
type body struct {
	Topic  string          `json:"topic"`
	Offset uint64          `json:"offset"`
	Data   json.RawMessage `json:"data"`
}

// offsets are those of the application's events that have been written.
func (s *stream) offsets(t *testing.T) []uint64 {
	t.Helper()
	var all []uint64
	for _, e := range s.events(t) {
		if len(e.Name) > 4 && e.Name[:4] == "hub." {
			continue
		}
		var b body
		if err := json.Unmarshal(e.Data, &b); err != nil {
			t.Fatalf("event %+v: %v", e, err)
		}
		all = append(all, b.Offset)
	}
	return all
}

// statuses are the verdicts of all hub.sync events, as "status/reason".
func (s *stream) statuses(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, e := range s.events(t) {
		if e.Name != "hub.sync" {
			continue
		}
		var v struct{ Status, Reason string }
		if err := json.Unmarshal(e.Data, &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v.Status+"/"+v.Reason)
	}
	return all
}

func connectTo(t *testing.T, h *Hub, cursor string, filters ...nave.Filter) *stream {
	t.Helper()
	s := &stream{}
	err := h.Connect(t.Context(), client.Request{Filters: filters, Cursor: cursor, Transport: s})
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
	return s
}

func cursorAt(h *Hub, offset uint64) string {
	return nave.Cursor{Epoch: h.Epoch(), Offset: offset}.String()
}

// rising checks that offsets are from..to without gap or double.
func rising(offsets []uint64, from, to uint64) error {
	for i, o := range offsets {
		if o != from+uint64(i) {
			return fmt.Errorf("place %d has offset %d, want %d", i, o, from+uint64(i))
		}
	}
	if n := uint64(len(offsets)); from+n != to+1 {
		return errors.New("got " + strconv.FormatUint(n, 10) + " events up to " + strconv.FormatUint(to, 10))
	}
	return nil
}
