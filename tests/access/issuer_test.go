package access

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave/config"
)

// serveKeys is an issuer at an address.
func serveKeys(t *testing.T, address string, keys []byte) *httptest.Server {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: listener, Config: &http.Server{
		ReadHeaderTimeout: time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/jwk-set+json")
			_, _ = w.Write(keys)
		}),
	}}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// An issuer whose server dies is a breaker that opens. Its keys that are known go on;
// whoever has another is asked to come again, not sent away; and when it is back, an
// operator need not wait.
func TestIssuerDiesAndComesBack(t *testing.T) {
	first, firstPublic := newJWK(t, "first")
	second, secondPublic := newJWK(t, "second")
	issuer := serveKeys(t, "127.0.0.1:0", keySet(t, firstPublic))
	address := issuer.Listener.Addr().String()
	h := start(t, func(cfg *config.Config) {
		cfg.Auth.Issuers = config.Issuers{{Issuer: "https://login.example", URL: issuer.URL, Audience: []string{"nave"}}}
	})
	admin := bearer(h.token(map[string]any{"admin": []string{"breakers/**"}}, nil))
	get := func(key []byte) answer {
		t.Helper()
		token := signed(t, key, map[string]any{"subscribe": []string{"a"}}, map[string]any{"iss": "https://login.example"})
		return h.do("GET", "/v1/state?topic=a", "", bearer(token)...)
	}
	path := "/v1/admin/breakers/jwks-" + address
	reset := func() {
		t.Helper()
		if a := h.do("DELETE", path, "", admin...); a.StatusCode != http.StatusNoContent {
			t.Fatalf("reset: %s %s", a.Status, a.body)
		}
	}
	eventually := func(state string) (row struct{ State, Why, Until, Level string }) {
		t.Helper()
		for begun := time.Now(); row.State != state; time.Sleep(10 * time.Millisecond) {
			if a := h.do("GET", path, "", admin...); a.StatusCode != http.StatusNotFound { // it is not shown at once
				a.decode(t, &row)
			}
			if time.Since(begun) > 10*time.Second {
				t.Fatalf("it is not %s: %+v", state, row)
			}
		}
		return row
	}

	eventually("closed")
	if a := get(first); a.StatusCode != 200 {
		t.Fatalf("its key: %s %s", a.Status, a.body)
	}
	issuer.CloseClientConnections()
	issuer.Close()
	reset() // has it asked
	row := eventually("open")
	if !strings.HasPrefix(row.Why, "the keys cannot be fetched: ") || row.Until == "" || row.Level != "" {
		t.Errorf("the breaker: %+v", row)
	}
	if a := get(first); a.StatusCode != 200 {
		t.Errorf("a key that is known: %s %s", a.Status, a.body)
	}
	a := get(second)
	var problem struct{ Code, Detail string }
	_ = json.Unmarshal([]byte(a.body), &problem)
	if a.StatusCode != http.StatusServiceUnavailable || problem.Code != "unavailable" || a.Header.Get("Retry-After") == "" ||
		a.Header.Get("WWW-Authenticate") != "" || strings.Contains(a.body, address) ||
		!strings.Contains(problem.Detail, "the keys of its issuer cannot be fetched: that is tried again at 20") {
		t.Errorf("a key that is not: %s %v %s", a.Status, a.Header, a.body)
	}
	if a := h.do("GET", "/readyz", ""); a.StatusCode != 200 {
		t.Errorf("readiness: %s %s", a.Status, a.body)
	}

	serveKeys(t, address, keySet(t, firstPublic, secondPublic))
	reset()
	eventually("closed")
	for _, key := range [][]byte{first, second} {
		if a := get(key); a.StatusCode != 200 {
			t.Errorf("when it is back: %s %s", a.Status, a.body)
		}
	}
}
