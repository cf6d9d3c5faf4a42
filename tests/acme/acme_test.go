// Package acme tries the hub with an authority that gives certificates: Let's
// Encrypt's own for tests, in this process.
package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/letsencrypt/challtestsrv"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/navehub/nave/config"
	"github.com/navehub/nave/wiring"
)

const (
	domain   = "hub.example.com"
	patience = 20 * time.Second
)

// An authority is pebble, which looks for domains at one port of this machine.
type authority struct {
	*httptest.Server
	roots *x509.CertPool
}

func startAuthority(t *testing.T, port int) *authority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "0") // it refuses some at random, of which the hub warns
	log := slog.NewLogLogger(slog.NewTextHandler(t.Output(), nil), slog.LevelInfo)

	names := freeAddress(t)
	dns, err := challtestsrv.New(challtestsrv.Config{Log: log, DNSAddrs: []string{names}})
	if err != nil {
		t.Fatal(err)
	}
	dns.SetDefaultDNSIPv4("127.0.0.1")
	dns.SetDefaultDNSIPv6("")
	go dns.Run() // ends with Shutdown
	t.Cleanup(dns.Shutdown)

	store := db.NewMemoryStore()
	signer := ca.New(log, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "default"}})
	front := wfe.New(log, store, va.New(log, 0, port, true, names, store), signer, []string{"pebble.example"}, true, false, 1, 1)
	a := &authority{httptest.NewTLSServer(front.Handler()), x509.NewCertPool()}
	t.Cleanup(a.Close)
	a.roots.AppendCertsFromPEM(signer.GetRootCert(0).PEM())

	// The hub trusts what the system trusts: here the one who speaks for the authority.
	file := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", file)
	return a
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// client finds the domain at the address, and trusts the authority.
func (a *authority) client(t *testing.T, address string) *http.Client {
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: a.roots},
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// The hub gets a certificate on its own listener, serves with it, and after a
// restart has it still, without asking again.
func TestTheHubGetsItsCertificate(t *testing.T) {
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	number, _ := strconv.Atoi(port)
	authority := startAuthority(t, number)

	cfg := config.Default()
	cfg.Listen, cfg.Data, cfg.Auth.Anonymous = address, t.TempDir(), config.Everything()
	cfg.TLS.ACME = config.ACME{Domains: []string{domain}, Email: "admin@example.com", Directory: authority.URL + wfe.DirectoryPath}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	var first *big.Int
	for _, what := range []string{"a new hub", "the hub after a restart, without authority"} {
		log := new(loud)
		app := fxtest.New(t, wiring.Program(cfg, "test", slog.NewTextHandler(io.MultiWriter(log, t.Output()), &slog.HandlerOptions{Level: slog.LevelInfo})), fx.NopLogger)
		start := time.Now()
		app.RequireStart()
		resp := get(t, authority.client(t, address))
		t.Logf("%s answers after %v", what, time.Since(start))
		if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusOK || resp.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s: %s %s, %v", what, resp.Proto, resp.Status, resp.Header)
		}
		serial := resp.TLS.PeerCertificates[0].SerialNumber
		if first == nil {
			first = serial
		} else if first.Cmp(serial) != 0 {
			t.Errorf("%s: another certificate", what)
		}
		app.RequireStop()
		if text := log.String(); strings.Contains(text, "level=WARN") || strings.Contains(text, "level=ERROR") ||
			strings.Contains(text, "there is a new certificate") != (what == "a new hub") {
			t.Errorf("%s logs:\n%s", what, text)
		}
		authority.Close()
	}
}

// A hub whose authority does not answer runs, says what is wrong, and ends in good
// order.
func TestTheAuthorityDoesNotAnswer(t *testing.T) {
	cfg := config.Default()
	cfg.Listen, cfg.Data, cfg.Auth.Anonymous = "127.0.0.1:0", t.TempDir(), config.Everything()
	cfg.TLS.ACME = config.ACME{Domains: []string{domain}, Directory: "https://" + freeAddress(t) + "/directory"}
	log := new(loud)
	app := fxtest.New(t, wiring.Program(cfg, "test", slog.NewTextHandler(io.MultiWriter(log, t.Output()), nil)), fx.NopLogger)
	app.RequireStart()
	for until := time.Now().Add(patience); !strings.Contains(log.String(), "level=ERROR"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("nothing is said")
		}
	}
	start := time.Now()
	app.RequireStop()
	if took := time.Since(start); took > patience/2 || !strings.Contains(log.String(), domain) || strings.Contains(log.String(), "canceled") {
		t.Errorf("the end took %v, after it was said:\n%s", took, log)
	}
}

// get asks until there is a certificate.
func get(t *testing.T, client *http.Client) *http.Response {
	t.Helper()
	for until := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		resp, err := client.Get("https://" + domain + "/livez")
		if err == nil {
			resp.Body.Close()
			return resp
		}
		if time.Now().After(until) {
			t.Fatal(err)
		}
	}
}

// A loud log is kept.
type loud struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *loud) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *loud) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
