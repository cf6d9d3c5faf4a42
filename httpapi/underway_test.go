package httpapi

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
)

// A blockedHub commits nothing until its log is released, and tells of every
// publish that it has taken.
type blockedHub struct {
	*hub.Hub
	release   func()
	submitted chan error
}

func (h blockedHub) Submit(ctx context.Context, events ...nave.Event) (*hub.Pending, error) {
	p, err := h.Hub.Submit(ctx, events...)
	h.submitted <- err
	return p, err
}

// await waits for so many submissions.
func (h blockedHub) await(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		select {
		case <-h.submitted:
		case <-time.After(patience):
			t.Fatalf("only %d of %d lines are under way", i, n)
		}
	}
}

type blockedLog struct {
	eventlog.Log
	released chan struct{}
}

func (l blockedLog) Append(ctx context.Context, group []eventlog.Batch) ([]eventlog.Outcome, error) {
	<-l.released
	return l.Log.Append(ctx, group)
}

func startBlocked(t *testing.T, config hub.Config, surface Config) (*server, blockedHub) {
	t.Helper()
	released, log := make(chan struct{}), memlog.Open(eventlog.Options{})
	config.Authority = auth.Open()
	config.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	h := blockedHub{
		hub.New(config, func(context.Context) (eventlog.Log, error) { return blockedLog{log, released}, nil }),
		func() { close(released) }, make(chan error, 1000),
	}
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	surface.Hub, surface.Logger = h, config.Logger
	s := &server{t, h.Hub, httptest.NewServer(New(surface))}
	t.Cleanup(func() {
		shutdown(t, h.Hub)
		s.Close()
	})
	return s, h
}

func shutdown(t *testing.T, h *hub.Hub) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// stream begins a stream of lines, without its end.
func (s *server) stream(lines ...string) net.Conn {
	s.t.Helper()
	return s.dial("POST /v1/events HTTP/1.1\r\nHost: hub\r\nContent-Type: application/x-ndjson\r\nContent-Length: 1000000\r\n\r\n" +
		strings.Join(lines, "\n") + "\n")
}

// answersOn are the lines of the answer that begins on a connection.
func answersOn(t *testing.T, conn net.Conn) *bufio.Scanner {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close() // there would be no end to read
		_ = response.Body.Close()
	})
	return bufio.NewScanner(response.Body)
}

func expect(t *testing.T, answers *bufio.Scanner, texts ...string) {
	t.Helper()
	for i, text := range texts {
		if !answers.Scan() || !strings.Contains(answers.Text(), text) {
			t.Fatalf("answer %d is %q (%v), want %q in it", i, answers.Text(), answers.Err(), text)
		}
	}
}

func TestLinesAreUnderWayTogether(t *testing.T) {
	s, h := startBlocked(t, hub.Config{}, Config{})
	lines := make([]string, 50)
	var want []string
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"topic":"t/%d","type":"x"}`, i%7)
		want = append(want, fmt.Sprintf(`"offset":%d}`, i+1))
	}
	conn := s.stream(lines...)
	h.await(t, len(lines))
	h.release()
	expect(t, answersOn(t, conn), want...)
}

// What is wrong with a line is its own matter, and answered in its place.
func TestLinesAreRefusedInTheirPlaces(t *testing.T) {
	s, h := startBlocked(t, hub.Config{Topics: []hub.TopicRule{
		{Filter: "rare", Durability: nave.Durable, Rate: 0.01, Burst: 1},
		{Filter: "**", Durability: nave.Durable},
	}}, Config{})
	conn := s.stream(
		`{"topic":"rare","type":"x","id":"1"}`,
		`{"topic":"a","type":"x","key":"k","ifVersion":0}`,
		`{"topic":"rare","type":"x","id":"2"}`,
		`{"topic":"a","typ":"x"}`,
		`{"topic":"a","type":"x","key":"k","ifVersion":2}`,
		`{"topic":"a","type":"x","key":"k","ifVersion":2}`,
		`{"topic":"b","type":"x","id":"1"}`,
		`{"topic":"c","type":"x"}`,
	)
	h.await(t, 7)
	h.release()
	expect(t, answersOn(t, conn), `"offset":1}`, `"offset":2,`, `"busy"`, `"invalid"`, `"offset":3,`, `"conflict"`, `"repeat":true`, `"offset":4}`)
}

func TestLinesUnderWayAreCommittedAtTheEnd(t *testing.T) {
	s, h := startBlocked(t, hub.Config{}, Config{})
	conn := s.stream(`{"topic":"a","type":"x"}`, `{"topic":"b","type":"x"}`)
	h.await(t, 2)
	ended := make(chan struct{})
	go func() { // ends with the hub
		defer close(ended)
		shutdown(t, h.Hub)
	}()
	<-h.Accepting().Done()
	h.release()
	expect(t, answersOn(t, conn), `"offset":1}`, `"offset":2}`, `"draining"`)
	<-ended
}

// Nobody waits for the rest of a body once the hub begins to shut down.
func TestBodyUnderWayAtTheEnd(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	conn := s.dial("POST /v1/events HTTP/1.1\r\nHost: hub\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n{")
	answers := bufio.NewReader(conn)
	awaitLine(t, answers, "100 Continue") // it is being read
	awaitLine(t, answers, "\r\n")
	shutdown(t, s.hub)
	response, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), `"draining"`) {
		t.Errorf("the answer is %s %s", response.Status, text)
	}
}

// An endingHub takes so many publishes more.
type endingHub struct {
	*hub.Hub
	left int
}

func (h *endingHub) Submit(ctx context.Context, events ...nave.Event) (*hub.Pending, error) {
	if h.left--; h.left < 0 {
		return nil, nave.Errorf(nave.CodeDraining, "the hub is shutting down")
	}
	return h.Hub.Submit(ctx, events...)
}

func TestLinesAfterTheEndAreNotLookedAt(t *testing.T) {
	h := start(t, hub.Config{}, Config{}).hub
	answers := startFake(t, &endingHub{h, 2}).publishLines(strings.Repeat(`{"topic":"a","type":"x"}`+"\n", 5))
	if len(answers) != 3 || !strings.Contains(answers[0]+answers[1], `"offset":2}`) {
		t.Fatalf("answers = %q", answers)
	}
	checkProblem(t, answers[2], nave.CodeDraining, "")
}

// A client that goes away in the middle holds up nobody.
func TestLinesUnderWayOfAClientThatIsGone(t *testing.T) {
	s, h := startBlocked(t, hub.Config{}, Config{})
	const n = 50
	conn := s.stream(strings.TrimSpace(strings.Repeat(`{"topic":"a","type":"x"}`+"\n", n)))
	h.await(t, n)
	_ = conn.Close()
	h.release()
	shutdown(t, h.Hub)
	if head := h.Head(); head != n {
		t.Errorf("%d of %d lines that were under way are stored", head, n)
	}
}

// Nor does one that takes no answers: what it has sent is committed meanwhile.
func TestLinesOfAClientThatTakesNoAnswers(t *testing.T) {
	s, h := startBlocked(t, hub.Config{}, Config{WriteTimeout: time.Minute})
	h.release()
	s.publish(`{"topic":"a","type":"x","key":"k","data":"` + strings.Repeat("x", 250<<10) + `"}`)
	h.await(t, 1)
	const n = 70 // which arrive together; each conflict shows the event that is in the way
	s.stream(strings.TrimSpace(strings.Repeat(`{"topic":"a","type":"x","key":"k","ifVersion":0}`+"\n", n)))
	h.await(t, n)
	shutdown(t, h.Hub)
}
