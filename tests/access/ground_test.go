// Package access tries to get at what is somebody else's: with every kind of
// credential, at every call, over every transport.
package access

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"

	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/config"
	"github.com/navehub/nave/wiring"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A hub is a whole program on a real socket, with what its owner knows.
type hub struct {
	*testing.T
	app    *fxtest.App
	url    string
	key    []byte // which signs tokens without issuer
	cfg    config.Config
	log    *transcript
	client *http.Client // of the transport under test
}

// A transcript is all that the hub has logged, at every level.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *transcript) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(b)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// start starts a hub whose tokens are for the audience "nave".
func start(t *testing.T, set func(*config.Config)) *hub {
	t.Helper()
	h := &hub{T: t, cfg: config.Default(), log: &transcript{}}
	file, _, err := auth.NewKey("HS256")
	if err != nil {
		t.Fatal(err)
	}
	h.key = file
	h.cfg.Listen, h.cfg.Data, h.cfg.Auth.Key = "127.0.0.1:0", t.TempDir(), filepath.Join(t.TempDir(), "nave.key")
	h.cfg.Auth.Audience, h.cfg.Auth.Leeway = []string{"nave"}, 0
	if err := os.WriteFile(h.cfg.Auth.Key, h.key, 0o600); err != nil {
		t.Fatal(err)
	}
	if set != nil {
		set(&h.cfg)
	}
	h.start()
	t.Cleanup(func() {
		h.stop()
		if t.Failed() {
			t.Logf("the hub's log:\n%.8000s", h.log)
		}
	})
	return h
}

func (h *hub) start() {
	h.Helper()
	var address wiring.Address
	logs := slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})
	h.app = fxtest.New(h, wiring.Program(h.cfg, "test", logs), fx.Populate(&address))
	h.app.RequireStart()
	h.url = "http://" + address.String()
	if h.cfg.TLS.Enabled() {
		h.url = "https://" + address.String()
	}
	if h.client == nil {
		h.use(&http.Transport{})
	}
}

func (h *hub) stop() {
	h.client.CloseIdleConnections()
	h.app.RequireStop()
}

func (h *hub) use(t *http.Transport) {
	h.client = &http.Client{Transport: t, Timeout: 20 * time.Second}
}

// token is one for an hour, with further claims, or others; nil leaves one out.
func (h *hub) token(grant map[string]any, others map[string]any) string {
	h.Helper()
	return signed(h.T, h.key, grant, others)
}

func signed(t *testing.T, key []byte, grant, others map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"sub": "alice", "aud": "nave", "jti": rand.Text(), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "nave": grant,
	}
	maps.Copy(claims, others)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	token, err := auth.Sign(key, claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// An answer is one, read to its end or as far as it was waited for.
type answer struct {
	*http.Response
	body string
}

// do sends a request; headers are pairs. Of a stream only what comes at once is read.
func (h *hub) do(method, path, body string, headers ...string) answer {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	resp, err := h.client.Do(r)
	if err != nil {
		h.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	kind := resp.Header.Get("Content-Type")
	if resp.StatusCode == http.StatusOK && r.Method == http.MethodGet && (strings.HasPrefix(kind, "text/event-stream") || kind == "application/x-ndjson") {
		return answer{resp, firstOf(resp.Body)}
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{resp, string(text)}
}

// firstOf reads a stream up to its verdict, and what comes soon after.
func firstOf(stream io.ReadCloser) string {
	enough := time.AfterFunc(5*time.Second, func() { stream.Close() })
	defer enough.Stop()
	var text strings.Builder
	part := make([]byte, 4096)
	for {
		n, err := stream.Read(part)
		text.Write(part[:n])
		if err != nil || strings.Contains(text.String(), "hub.sync") {
			if enough.Stop() { // what follows the verdict follows it at once
				enough.Reset(50 * time.Millisecond)
			}
		}
		if err != nil {
			return text.String()
		}
	}
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// decode reads an answer that must be a success.
func (a answer) decode(t *testing.T, into any) {
	t.Helper()
	if a.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s: %s", a.Request.Method, a.Request.URL.Path, a.Status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
}

// selfSigned puts a certificate for this machine where the hub looks, and returns
// whom a client has to trust.
func selfSigned(t *testing.T, cfg *config.Config) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cfg.TLS.Certificate, cfg.TLS.Key = filepath.Join(t.TempDir(), "hub.pem"), filepath.Join(t.TempDir(), "hub-key.pem")
	for file, block := range map[string]*pem.Block{
		cfg.TLS.Certificate: {Type: "CERTIFICATE", Bytes: der}, cfg.TLS.Key: {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool
}

// transports are the ways in which requests reach a hub.
func transports(t *testing.T, each func(t *testing.T, h *hub)) {
	t.Parallel()
	for name, version2 := range map[string]bool{"HTTP1": false, "HTTP1 over TLS": false, "HTTP2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var pool *x509.CertPool
			h := start(t, func(cfg *config.Config) {
				if name != "HTTP1" {
					pool = selfSigned(t, cfg)
				}
			})
			protocols := new(http.Protocols)
			protocols.SetHTTP1(!version2)
			protocols.SetHTTP2(version2)
			h.use(&http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, Protocols: protocols})
			each(t, h)
		})
	}
}

func privateKey(t *testing.T, text []byte) any {
	t.Helper()
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
