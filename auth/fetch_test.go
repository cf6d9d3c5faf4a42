package auth

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/navehub/nave"
)

// fetching is a verifier of the keys at a real address.
func fetching(t *testing.T, url string, now func() time.Time) *Verifier {
	t.Helper()
	return newVerifier(t, VerifierConfig{Sources: []Source{{URL: url}}, Logger: slog.New(slog.DiscardHandler), Now: now})
}

func serving(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return server
}

func set(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

// Over a real network, with a server that changes its keys, goes away, and comes
// back at the same address with others.
func TestRotationOverTheNetwork(t *testing.T) {
	var answer atomic.Value
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer.Load()) })
	var ahead atomic.Int64 // of our clock
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	first, second := by1(t), by2(t)

	answer.Store(set(key1(t)))
	server := httptest.NewServer(handler)
	address := server.Listener.Addr().String()
	v := fetching(t, server.URL, now)
	accept(t, v, first)
	refuseWith(t, v, second, "its key is unknown")

	answer.Store(set(key1(t), key2(t)))
	ahead.Add(int64(askedAgain))
	accept(t, v, second)

	server.Close()
	ahead.Add(int64(askedAgain))
	third := sign(t, jwk(t, madeKey(t, "ES256").file, "3"), with(nil))
	if _, err := v.Verify(t.Context(), third); nave.CodeOf(err) != nave.CodeUnavailable {
		t.Errorf("error %v", err)
	}
	accept(t, v, first)
	accept(t, v, second)

	answer.Store(set(jwk(t, madeKey(t, "ES256").public, "3")))
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("somebody else has taken the address: %v", err)
	}
	back := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler, ReadHeaderTimeout: time.Second}}
	back.Start()
	defer back.Close()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err := v.Verify(t.Context(), third); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("still refused: %v", err)
		}
	}
	refuseWith(t, v, first, "its key is unknown")
	refuseWith(t, v, second, "its key is unknown")
}

func TestWrongAnswers(t *testing.T) {
	good := set(key1(t))
	elsewhere := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		t.Error("another host was asked")
		fmt.Fprint(w, good)
	})
	for name, test := range map[string]struct {
		handle http.HandlerFunc
		want   string
	}{
		"500": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, good, 500) }, "it answers 500 Internal Server Error"},
		"204": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, "it answers 204 No Content"},
		"HTML": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>"+good) },
			`it answers with something else than a JWK set, which has "keys"`},
		"an error in JSON": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"error":"no"}`) }, "something else than a JWK set"},
		"a JWK":            {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, key1(t)) }, "something else than a JWK set"},
		"keys twice":       {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"keys":[],`+good[1:]) }, "something else than a JWK set"},
		"too many keys":    {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, set(strings.Repeat("{},", 100)+"{}")) }, "it answers with 101 keys"},
		"100 MB":           {hundredMegabytes(t, good), "it answers with more than 1048576 bytes"},
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, good)
		}, "unexpected EOF"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) },
			"it redirects to another host: name that one, if it may be trusted"},
		"redirects": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }, "it redirects again and again"},
		"a long header": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 100<<10))
			fmt.Fprint(w, good)
		}, "header"},
	} {
		t.Run(name, func(t *testing.T) {
			v := fetching(t, serving(t, test.handle).URL, nil)
			if _, err := v.Verify(t.Context(), by1(t)); nave.CodeOf(err) != nave.CodeUnavailable {
				t.Errorf("error %v", err)
			}
			if s := v.Sources()[0]; s.Err == nil || !strings.Contains(s.Err.Error(), test.want) || s.Keys != 0 {
				t.Errorf("state %+v, want %q", s, test.want)
			}
		})
	}
}

// hundredMegabytes is a set with much behind it, of which little must be read.
func hundredMegabytes(t *testing.T, good string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.TrimSuffix(good, "}"))
		spaces := strings.Repeat(" ", 1<<20)
		for n := range 100 {
			if _, err := fmt.Fprint(w, spaces); err != nil {
				return
			}
			if n == 50 {
				t.Error("half of it was read")
			}
		}
		fmt.Fprint(w, "}")
	}
}

func TestRedirectOnTheSameHost(t *testing.T) {
	server := serving(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/keys", http.StatusMovedPermanently)
			return
		}
		fmt.Fprint(w, set(key1(t)))
	})
	accept(t, fetching(t, server.URL, nil), by1(t))
}
