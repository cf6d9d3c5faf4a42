package wiring

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/navehub/nave/config"
	"github.com/navehub/nave/sse"
)

const patience = 10 * time.Second // for what must happen, and happens at once

// A secureHub is a whole program that speaks TLS.
type secureHub struct {
	t *testing.T
	*authority
	*fxtest.App
	address string
}

func startSecure(t *testing.T, set func(*config.Config)) *secureHub {
	t.Helper()
	h := &secureHub{t: t, authority: newAuthority(t)}
	cfg := config.Default()
	cfg.Listen, cfg.Data, cfg.Log.Engine, cfg.TLS = "127.0.0.1:0", t.TempDir(), "memory", h.sign(1)
	cfg.Auth.Anonymous = config.Everything()
	if set != nil {
		set(&cfg)
	}
	var address Address
	h.App = fxtest.New(t, Program(cfg, "test", slog.NewTextHandler(t.Output(), nil)), fx.Populate(&address))
	h.RequireStart()
	t.Cleanup(func() { h.RequireStop() })
	h.address = address.String()
	return h
}

// client speaks one version of HTTP.
func (h *secureHub) client(version2 bool) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!version2)
	protocols.SetHTTP2(version2)
	transport := &http.Transport{TLSClientConfig: h.authority.client(), Protocols: protocols}
	h.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (h *secureHub) publish(client *http.Client, kind string) {
	h.t.Helper()
	resp, err := client.Post("https://"+h.address+"/v1/events", "application/json", strings.NewReader(`{"topic":"a","type":"`+kind+`"}`))
	if err != nil {
		h.t.Fatal(err)
	}
	resp.Body.Close()
	if hsts := resp.Header.Get("Strict-Transport-Security"); resp.StatusCode != http.StatusOK || hsts != "max-age=3600" {
		h.t.Errorf("publish: %s, %v", resp.Status, resp.Header)
	}
}

// subscribe returns a stream, with what to end it by.
func (h *secureHub) subscribe(client *http.Client, cursor string) (*sse.Reader, func()) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	req, err := http.NewRequestWithContext(ctx, "GET", "https://"+h.address+"/v1/events?topic=a", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if cursor != "" {
		req.Header.Set("Last-Event-ID", cursor)
	}
	resp, err := client.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		h.t.Fatal(resp.Status)
	}
	return sse.NewReader(resp.Body), func() { cancel(); resp.Body.Close() }
}

func (h *secureHub) expect(r *sse.Reader, names ...string) (last sse.Event) {
	h.t.Helper()
	for _, name := range names {
		e, err := r.Next()
		if err != nil || e.Name != name {
			h.t.Fatalf("event %q %s, %v; want %s", e.Name, e.Data, err, name)
		}
		last = e
	}
	return last
}

// Over both versions a stream is live, is resumed, and is told when the hub ends,
// which does not wait for anybody.
func TestStreamsOverTLS(t *testing.T) {
	for name, version2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			h := startSecure(t, nil)
			client := h.client(version2)
			stream, leave := h.subscribe(client, "")
			h.expect(stream, "hub.sync")
			h.publish(client, "one")
			cursor := h.expect(stream, "one").ID
			leave()
			h.publish(client, "two")

			stream, leave = h.subscribe(client, cursor)
			defer leave()
			if sync := h.expect(stream, "hub.sync"); !strings.Contains(string(sync.Data), "recovered") {
				t.Errorf("sync = %s", sync.Data)
			}
			h.expect(stream, "two")
			h.publish(client, "three")
			h.expect(stream, "three")

			stopped, start := make(chan struct{}), time.Now()
			go func() { defer close(stopped); h.RequireStop() }() // ends at once
			h.expect(stream, "hub.bye")
			if _, err := stream.Next(); !errors.Is(err, io.EOF) {
				t.Errorf("the stream ends with %v", err)
			}
			<-stopped
			if took := time.Since(start); took > patience/2 {
				t.Errorf("the end took %v", took)
			}
		})
	}
}

// A hundred streams on one connection are more than one page needs, and all end.
func TestManyStreamsOnOneConnection(t *testing.T) {
	h := startSecure(t, nil)
	client := h.client(true)
	var streams []*sse.Reader
	for range 99 { // and one to publish
		stream, leave := h.subscribe(client, "")
		defer leave()
		h.expect(stream, "hub.sync")
		streams = append(streams, stream)
	}
	h.publish(client, "one")
	for _, stream := range streams {
		h.expect(stream, "one")
	}
	h.RequireStop()
	for _, stream := range streams {
		h.expect(stream, "hub.bye")
	}
}

func TestACertificateChangesWhileTheHubRuns(t *testing.T) {
	h := startSecure(t, nil)
	serial := func() int64 {
		conn, err := tls.Dial("tcp", h.address, h.authority.client())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Fatalf("certificate %d", got)
	}
	cfg := h.sign(2)
	for until := time.Now().Add(patience); serial() != 2; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the new certificate is not used")
		}
	}
	writeFile(t, cfg.Certificate, []byte("nothing"))
	for until := time.Now().Add(3 * lookEvery / 2); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if got := serial(); got != 2 {
			t.Fatalf("certificate %d", got)
		}
	}
}

func TestOldTLSAndNoTLSAreRefused(t *testing.T) {
	h := startSecure(t, nil)
	old := h.authority.client()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if conn, err := tls.Dial("tcp", h.address, old); err == nil {
		conn.Close()
		t.Error("TLS 1.1 is accepted")
	}
	resp, err := http.Get("http://" + h.address + "/livez")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "HTTPS") {
		t.Errorf("%s: %s", resp.Status, body)
	}
}

// Who is slow with the handshake, or then with the header, is cut.
func TestSlowHandshakesAreCut(t *testing.T) {
	const limit = 300 * time.Millisecond
	h := startSecure(t, func(c *config.Config) { c.Limits.Handshake = config.Duration(limit) })
	plain := func() net.Conn {
		conn, err := net.Dial("tcp", h.address)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	for name, begin := range map[string]func() net.Conn{
		"nothing comes":       plain,
		"half a hello comes":  func() net.Conn { c := plain(); _, _ = c.Write([]byte{22, 3, 1, 2, 0, 1}); return c },
		"half a header comes": func() net.Conn { return half(t, tls.Client(plain(), h.authority.client())) },
	} {
		conn := begin()
		start := time.Now()
		_ = conn.SetReadDeadline(start.Add(patience))
		_, err := io.Copy(io.Discard, bufio.NewReader(conn))
		if took := time.Since(start); took < limit/2 || took > patience/2 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection ends after %v with %v", name, took, err)
		}
		conn.Close()
	}
}

func half(t *testing.T, conn *tls.Conn) net.Conn {
	t.Helper()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHo"); err != nil {
		t.Fatal(err)
	}
	return conn
}

// Beyond the limit a client that speaks HTTP/1.1 hears why.
func TestConnectionsOverTLSAreRefusedInWords(t *testing.T) {
	a := newAuthority(t)
	secure, err := newTLS(nil, config.Config{TLS: a.sign(1)}, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := newBoundedListener(inner, &census{}, refusing(secure), func(string) {})
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = l.Accept() }() // ends with Close
	defer func() { l.Close(); <-ended }()

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: a.client(), ForceAttemptHTTP2: true}}
	resp, err := client.Get("https://" + inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || resp.ProtoMajor != 1 {
		t.Errorf("%s, %v", resp.Status, resp.Header)
	}
	// Who does not speak TLS is let go in time.
	conn, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is kept")
	}
}

func TestRequestsAtOnceAreBoundedOverHTTP2(t *testing.T) {
	under, end := make(chan struct{}), make(chan struct{})
	handler := crowd(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { under <- struct{}{}; <-end }), 1)
	serve := func(major int) int {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
		r.ProtoMajor = major
		handler.ServeHTTP(w, r)
		return w.Code
	}
	var all sync.WaitGroup
	for _, major := range []int{2, 2, 1} { // the last does not count
		all.Go(func() { serve(major) })
		<-under
	}
	if code := serve(2); code != http.StatusServiceUnavailable {
		t.Errorf("the third is answered with %d", code)
	}
	close(end)
	all.Wait()
	go func() { <-under }() // ends with the request
	if code := serve(2); code != http.StatusOK {
		t.Errorf("one after the others is answered with %d", code)
	}
}
