package spoke

import (
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/navehub/nave/tests/harness"
)

// A ground is where a trial takes place.
type ground struct {
	*testing.T
	hub    *harness.Process
	proxy  *proxy
	reader *reader
}

// A proxy passes on requests, well or badly.
type proxy struct {
	addr           string
	holds, failing atomic.Bool

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func newProxy(t *testing.T, hub string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: l.Addr().String(), conns: make(map[net.Conn]struct{})}
	transport := &http.Transport{}
	forward := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: hub}) },
		Transport:     transport,
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		ModifyResponse: func(r *http.Response) error {
			if p.holds.Load() {
				r.Body = &held{r.Body, nil}
			}
			return nil
		},
	}
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if p.failing.Load() {
				http.Error(w, "<h1>Bad Gateway</h1>", http.StatusBadGateway)
				return
			}
			forward.ServeHTTP(w, r)
		}),
		ConnState: p.track,
		ErrorLog:  nil,
	}
	served := make(chan struct{})
	go func() { // ends with the server
		defer close(served)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
		transport.CloseIdleConnections()
	})
	return p
}

func (p *proxy) track(c net.Conn, s http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s == http.StateClosed {
		delete(p.conns, c)
	} else {
		p.conns[c] = struct{}{}
	}
}

// cut ends all connections at once, half of them by a reset.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		if tcp, ok := c.(*net.TCPConn); ok && rand.IntN(2) == 0 {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
}

func (p *proxy) hold(on bool) { p.holds.Store(on) }
func (p *proxy) fail(on bool) { p.failing.Store(on) }

// held is a body that is read to its end before any of it is passed on.
type held struct {
	io.ReadCloser
	all []byte
}

func (h *held) Read(b []byte) (int, error) {
	if h.all == nil {
		all, err := io.ReadAll(h.ReadCloser)
		if err != nil {
			return 0, err
		}
		h.all = all
	}
	if len(h.all) == 0 {
		return 0, io.EOF
	}
	n := copy(b, h.all)
	if h.all = h.all[n:]; h.all == nil {
		h.all = []byte{}
	}
	return n, nil
}
