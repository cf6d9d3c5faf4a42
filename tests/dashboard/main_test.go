// Package dashboard opens the dashboard in a real Chromium, and uses it as people do.
package dashboard

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/config"
	"github.com/navehub/nave/tests/trial"
	"github.com/navehub/nave/wiring"
)

func TestMain(m *testing.M) { trial.Main(m) }

// A testHub is a whole program in this process, on a real socket.
type testHub struct {
	*testing.T
	*hub.Hub
	url  string
	key  []byte // nil: everybody may do everything
	mail *breaker.Breaker
}

type setting func(*testHub, *config.Config)

// locked lets nobody in without a token.
func locked(h *testHub, cfg *config.Config) {
	file, _, err := auth.NewKey("HS256")
	if err != nil {
		h.Fatal(err)
	}
	h.key = file
	cfg.Auth.Anonymous = config.Anonymous{}
	cfg.Auth.Key = filepath.Join(h.TempDir(), "nave.key")
	if err := os.WriteFile(cfg.Auth.Key, file, 0o600); err != nil {
		h.Fatal(err)
	}
}

func startHub(t *testing.T, settings ...setting) *testHub {
	t.Helper()
	h := &testHub{T: t}
	cfg := config.Default()
	cfg.Listen, cfg.Data, cfg.Auth.Anonymous = "127.0.0.1:0", t.TempDir(), config.Everything()
	cfg.Limits.Connections = 100
	for _, set := range settings {
		set(h, &cfg)
	}
	var address wiring.Address
	logs := slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})
	app := fxtest.New(t,
		wiring.Program(cfg, "test", logs),
		wiring.Breaker(breaker.Config{Name: "mail", MinCalls: 2, Open: time.Hour}),
		fx.Populate(&address, &h.Hub), fx.Invoke(func(in breakers) { h.mail = in.Mail }))
	app.RequireStart()
	t.Cleanup(app.RequireStop)
	h.url = "http://" + address.String()
	return h
}

type breakers struct {
	fx.In
	Mail *breaker.Breaker `name:"mail"`
}

// token is one for an hour.
func (h *testHub) token(grant map[string][]string) string {
	h.Helper()
	token, err := auth.Sign(h.key, map[string]any{
		"sub": "ops", "jti": rand.Text(), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "nave": grant,
	})
	if err != nil {
		h.Fatal(err)
	}
	return token
}

// publish publishes some JSON, as everybody may.
func (h *testHub) publish(body string) { publish(h.T, h.url, body) }

func publish(t *testing.T, url, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/events", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("publish: %s", resp.Status)
	}
}

// follow opens a stream of somebody else's, and returns what is closed at its end.
func (h *testHub) follow(filter, agent string) (ended chan struct{}) {
	h.Helper()
	ctx, cancel := context.WithCancel(h.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url+"/v1/events?topic="+filter, nil)
	if err != nil {
		h.Fatal(err)
	}
	r.Header.Set("User-Agent", agent)
	resp, err := http.DefaultClient.Do(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		h.Fatalf("follow %s: %v %v", filter, resp, err)
	}
	ended = make(chan struct{})
	go func() { // ends with the stream
		defer close(ended)
		defer resp.Body.Close()
		for part := make([]byte, 4096); ; {
			if _, err := resp.Body.Read(part); err != nil {
				return
			}
		}
	}()
	h.Cleanup(func() { cancel(); <-ended })
	return ended
}
