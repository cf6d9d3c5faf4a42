package client_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/navehub/nave/actors/client"
)

const (
	plain = "HTTP/1.1"
	tls   = "HTTP/1.1 with TLS"
	http2 = "HTTP/2"
)

// serveResponse starts a server whose responses are transports.
func serveResponse(t *testing.T, protocol string) (*httptest.Server, <-chan *client.Response) {
	t.Helper()
	open := make(chan *client.Response, 1)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response := client.NewResponse(w, r)
		open <- response
		response.Wait()
	}))
	s.EnableHTTP2 = protocol == http2
	if protocol == plain {
		s.Start()
	} else {
		s.StartTLS()
	}
	t.Cleanup(func() {
		s.Close()
		goleak.VerifyNone(t)
	})
	return s, open
}

func fetch(t *testing.T, s *httptest.Server) (body *bufio.Reader, leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	response, err := s.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return bufio.NewReader(response.Body), cancel
}

func TestResponse(t *testing.T) {
	for _, protocol := range []string{plain, tls, http2} {
		t.Run(protocol, func(t *testing.T) {
			s, open := serveResponse(t, protocol)
			transports := make(chan *client.Response, 1)
			const short = 50 * time.Millisecond
			go func() {
				transport := <-open
				_ = transport.Write([][]byte{[]byte("one"), []byte("\n")}, short)
				transports <- transport
			}()
			body, leave := fetch(t, s)
			transport := receive(t, transports)
			if line, err := body.ReadString('\n'); line != "one\n" || err != nil {
				t.Fatalf("read %q, %v", line, err)
			}
			if want := map[string]string{plain: "h1", tls: "h1", http2: "h2"}[protocol]; transport.Protocol() != want {
				t.Errorf("protocol = %s", transport.Protocol())
			}
			<-time.After(2 * short) // the deadline of a write ends nothing but the write
			if err := transport.Write([][]byte{[]byte("two\n")}, patience); err != nil {
				t.Fatal(err)
			}
			if line, err := body.ReadString('\n'); line != "two\n" || err != nil {
				t.Fatalf("read %q, %v", line, err)
			}
			gone := goneOf(transport)
			leave()
			receive(t, gone)
			_, _ = transport.Close(), transport.Close()
			if err := transport.Write([][]byte{[]byte("late")}, patience); err == nil {
				t.Error("a closed transport takes what is written")
			}
		})
	}
}

func TestResponseWriteGivesUp(t *testing.T) {
	for _, protocol := range []string{plain, http2} { // TLS takes 5 s to say goodbye to nobody
		t.Run(protocol, func(t *testing.T) {
			s, open := serveResponse(t, protocol)
			failed := make(chan error, 1)
			go func() {
				transport := <-open
				defer transport.Close()
				var err error
				for err == nil {
					err = transport.Write([][]byte{make([]byte, 1<<20)}, 50*time.Millisecond)
				}
				failed <- transport.Write([][]byte{[]byte("x")}, patience)
			}()
			fetch(t, s) // and read nothing
			if err := receive(t, failed); err == nil {
				t.Error("a transport that failed takes more")
			}
		})
	}
}

func TestResponseEndsWithTheHub(t *testing.T) {
	for _, protocol := range []string{plain, tls, http2} {
		t.Run(protocol, func(t *testing.T) {
			s, open := serveResponse(t, protocol)
			go func() {
				transport := <-open
				_ = transport.Write([][]byte{[]byte("bye\n")}, patience)
				_ = transport.Close()
			}()
			body, _ := fetch(t, s)
			if all, err := io.ReadAll(body); string(all) != "bye\n" || err != nil {
				t.Errorf("read %q, %v", all, err)
			}
		})
	}
}
