package client_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/navehub/nave/actors/client"
)

const patience = 10 * time.Second // for what must happen, and happens at once

// A hijackServer hands out the server's side of each connection.
type hijackServer struct {
	*httptest.Server
	taken chan *client.Hijacked
}

// serveHijacked starts a server whose connections are taken over. With hide they
// look as if they had no descriptor.
func serveHijacked(t *testing.T, hide bool) *hijackServer {
	t.Helper()
	var hijacker client.Hijacker
	s := &hijackServer{taken: make(chan *client.Hijacked, 1)}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Middleware", "was here")
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Content-Length", "7")
		taken, err := hijacker.Hijack(w)
		if err != nil {
			t.Errorf("Hijack: %v", err)
			return
		}
		s.taken <- taken
	}))
	if hide {
		s.Listener = hidingListener{s.Listener}
	}
	s.Start()
	t.Cleanup(func() {
		s.Server.Close()
		goleak.VerifyNone(t)
	})
	return s
}

// dial opens a connection and gives both of its sides.
func (s *hijackServer) dial(t *testing.T, request string) (*net.TCPConn, *client.Hijacked) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	taken := receive(t, s.taken)
	t.Cleanup(func() { _ = taken.Close() })
	return conn.(*net.TCPConn), taken
}

const get = "GET / HTTP/1.1\r\nHost: hub\r\n\r\n"

type hidingListener struct{ net.Listener }

func (l hidingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return struct{ net.Conn }{c}, err
}

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	panic("not reached")
}

// goneOf is a channel that is sent to when the peer is gone.
func goneOf(t client.Transport) <-chan struct{} {
	gone := make(chan struct{}, 1)
	t.OnGone(func() { gone <- struct{}{} })
	return gone
}

func TestHijackedAnswer(t *testing.T) {
	s := serveHijacked(t, false)
	conn, taken := s.dial(t, get+"GET /pipelined HTTP/1.1\r\nHost: hub\r\n\r\n")
	for _, text := range []string{"one", "two"} {
		if err := taken.Write([][]byte{[]byte(text), []byte("\n")}, patience); err != nil {
			t.Fatal(err)
		}
	}
	if err := taken.Close(); err != nil {
		t.Error(err)
	}
	if err := taken.Close(); err != nil {
		t.Errorf("Close, again: %v", err)
	}
	if err := taken.Write([][]byte{[]byte("late")}, patience); err == nil {
		t.Error("a closed transport takes what is written")
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	if string(body) != "one\ntwo\n" || response.ContentLength != -1 || len(response.TransferEncoding) > 0 {
		t.Errorf("body = %q, of %d bytes, coded %v", body, response.ContentLength, response.TransferEncoding)
	}
	if !response.Close || response.StatusCode != http.StatusOK || response.Header.Get("Date") == "" ||
		response.Header.Get("X-Middleware") != "was here" || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("head = %+v", response)
	}
}

func TestHijackedRefuses(t *testing.T) {
	s := serveHijacked(t, false)
	conn, taken := s.dial(t, get)
	if err := taken.Refuse(http.StatusServiceUnavailable, http.Header{"Retry-After": {"1"}}, []byte("no\n"), patience); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if string(body) != "no\n" || err != nil || response.StatusCode != 503 || response.Header.Get("Retry-After") != "1" {
		t.Errorf("answer = %v, %q, %v", response, body, err)
	}
}

func TestHijackedPeerLeaves(t *testing.T) {
	leave := map[string]func(*net.TCPConn){
		"closes":                  func(c *net.TCPConn) { _ = c.Close() },
		"resets":                  func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() },
		"closes its sending side": func(c *net.TCPConn) { _ = c.CloseWrite() },
		"closes after some bytes": func(c *net.TCPConn) { _, _ = c.Write(make([]byte, 1000)); _ = c.Close() },
	}
	for _, hide := range []bool{false, true} {
		for name, leave := range leave {
			t.Run(fmt.Sprintf("%s, no descriptor %v", name, hide), func(t *testing.T) {
				s := serveHijacked(t, hide)
				conn, taken := s.dial(t, get)
				gone := goneOf(taken)
				leave(conn)
				receive(t, gone)
			})
			t.Run(fmt.Sprintf("%s before anybody looks, no descriptor %v", name, hide), func(t *testing.T) {
				s := serveHijacked(t, hide)
				conn, taken := s.dial(t, get)
				leave(conn)
				receive(t, goneOf(taken))
			})
		}
	}
}

// Whether or not the peer leaves at the same time, Close ends everything.
func TestHijackedPeerAndHubLeaveTogether(t *testing.T) {
	for _, hide := range []bool{false, true} {
		t.Run(fmt.Sprint("no descriptor ", hide), func(t *testing.T) {
			s := serveHijacked(t, hide)
			for range 100 {
				conn, taken := s.dial(t, get)
				taken.OnGone(func() {})
				var both sync.WaitGroup
				both.Go(func() { _ = conn.Close() })
				both.Go(func() { _ = taken.Close() })
				both.Wait()
			}
		})
	}
}

// Only the peer that leaves is told of, and descriptors that are used again are
// not mistaken for each other.
func TestHijackedTellsPeersApart(t *testing.T) {
	s := serveHijacked(t, false)
	_, stays := s.dial(t, get)
	gone := goneOf(stays)
	for range 50 {
		conn, taken := s.dial(t, get)
		left := goneOf(taken)
		_ = conn.Close()
		receive(t, left)
		_ = taken.Close()
	}
	select {
	case <-gone:
		t.Error("the one that stays is gone")
	default:
	}
}

func TestHijackedIsQuietAfterClose(t *testing.T) {
	for _, hide := range []bool{false, true} {
		t.Run(fmt.Sprint("no descriptor ", hide), func(t *testing.T) {
			s := serveHijacked(t, hide)
			conn, taken := s.dial(t, get)
			gone := goneOf(taken)
			_ = taken.Close()
			_, _ = io.Copy(io.Discard, conn) // until the end
			select {
			case <-gone:
				t.Error("the hub's own Close counts as the peer's")
			default:
			}
		})
	}
}

func TestHijackedIdleHoldsNoGoroutine(t *testing.T) {
	s := serveHijacked(t, false)
	_, first := s.dial(t, get)
	first.OnGone(func() {})
	settle := func() int { // net/http's goroutines end shortly after their handlers
		least := runtime.NumGoroutine()
		for range 1000 {
			runtime.Gosched()
			least = min(least, runtime.NumGoroutine())
		}
		return least
	}
	before := settle()
	for range 200 {
		_, taken := s.dial(t, get)
		taken.OnGone(func() {})
	}
	deadline := time.Now().Add(patience)
	for settle() > before+5 {
		if time.Now().After(deadline) {
			t.Fatalf("200 idle connections hold %d goroutines", settle()-before)
		}
	}
}

func TestHijackedWriteGivesUp(t *testing.T) {
	s := serveHijacked(t, false)
	_, taken := s.dial(t, get) // and read nothing
	block := [][]byte{make([]byte, 1<<20)}
	var err error
	start := time.Now()
	for err == nil {
		err = taken.Write([][]byte{block[0]}, 50*time.Millisecond)
	}
	if took := time.Since(start); took > patience {
		t.Errorf("it took %v", took)
	}
	if again := taken.Write([][]byte{[]byte("x")}, patience); again == nil || !strings.Contains(again.Error(), "timeout") {
		t.Errorf("after %v: %v, want it to last", err, again)
	}
}

// pipeWriter is a ResponseWriter whose connection is a pipe.
type pipeWriter struct {
	http.ResponseWriter
	conn net.Conn
}

func (w pipeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.conn, nil, nil }

func TestHijackedPipe(t *testing.T) {
	defer goleak.VerifyNone(t)
	hub, peer := net.Pipe()
	var hijacker client.Hijacker
	taken, err := hijacker.Hijack(pipeWriter{httptest.NewRecorder(), hub})
	if err != nil {
		t.Fatal(err)
	}
	gone := goneOf(taken)
	go func() { _ = taken.Write([][]byte{[]byte("hello")}, patience) }()
	response, err := http.ReadResponse(bufio.NewReader(peer), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(response.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	_ = peer.Close()
	receive(t, gone)
	_ = taken.Close()
}

func TestHijackNotPossible(t *testing.T) {
	var hijacker client.Hijacker
	if _, err := hijacker.Hijack(httptest.NewRecorder()); !errors.Is(err, http.ErrNotSupported) {
		t.Errorf("err = %v", err)
	}
}
