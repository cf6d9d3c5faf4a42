package wiring_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/config"
	"github.com/navehub/nave/wiring"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryCombinationIsComplete(t *testing.T) {
	for name, options := range map[string]fx.Option{
		"durable": fx.Options(wiring.Core, wiring.DurableLog(t.TempDir()), wiring.OpenToAll),
		"memory":  fx.Options(wiring.Core, wiring.MemoryLog(), wiring.OpenToAll),
		"program": wiring.Program(config.Default(), "test", slog.DiscardHandler),
		"with a configuration": fx.Options(wiring.Core, wiring.MemoryLog(), wiring.OpenToAll,
			fx.Supply(hub.Config{Heartbeat: time.Minute})),
		"with breakers": fx.Options(wiring.Core, wiring.MemoryLog(), wiring.OpenToAll,
			wiring.Breaker(breaker.Config{Name: "mail"}), wiring.Breaker(breaker.Config{Name: "geo"})),
	} {
		if err := fx.ValidateApp(options, fx.NopLogger); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is injected is what the hub has, and runs in it.
func TestBreakersAreInjectedByName(t *testing.T) {
	var h *hub.Hub
	var in struct {
		fx.In
		Mail *breaker.Breaker `name:"mail"`
		Geo  *breaker.Breaker `name:"geo"`
	}
	app := fxtest.New(t, wiring.Core, wiring.MemoryLog(), wiring.OpenToAll,
		fx.Supply(slog.New(slog.NewTextHandler(t.Output(), nil))),
		wiring.Breaker(breaker.Config{Name: "mail"}), wiring.Breaker(breaker.Config{Name: "geo"}),
		fx.Populate(&h, &in))
	app.RequireStart()
	defer app.RequireStop()
	if in.Mail != h.Breaker("mail") || in.Geo != h.Breaker("geo") || in.Mail == in.Geo {
		t.Error("they are not the hub's")
	}
	for begun := time.Now(); in.Geo.Reset(t.Context(), "") != nil; time.Sleep(time.Millisecond) {
		if time.Since(begun) > 10*time.Second {
			t.Fatal("it does not run")
		}
	}
}

// Each URL of keys has a breaker, which has its host's name.
func TestBreakersOfKeys(t *testing.T) {
	keys := httptest.NewServer(http.NotFoundHandler())
	defer keys.Close()
	host := strings.TrimPrefix(keys.URL, "http://")
	cfg := config.Default()
	cfg.Listen, cfg.Data, cfg.Auth.Anonymous = "127.0.0.1:0", t.TempDir(), config.Everything()
	cfg.Auth.Issuers = config.Issuers{{Issuer: "a", URL: keys.URL}, {Issuer: "b", URL: keys.URL + "/b"}}
	var h *hub.Hub
	app := fxtest.New(t, wiring.Program(cfg, "test", slog.NewTextHandler(t.Output(), nil)), fx.Populate(&h))
	app.RequireStart()
	defer app.RequireStop()
	for _, name := range []string{"jwks-" + host, "jwks-" + host + "-2"} {
		for begun := time.Now(); ; time.Sleep(time.Millisecond) {
			row, _ := h.Registry().Snapshot().Breaker(name)
			if row.State == breaker.Open && row.Why == "the keys cannot be fetched: it answers 404 Not Found" {
				break
			}
			if time.Since(begun) > 10*time.Second {
				t.Fatalf("%s: %+v", name, row)
			}
		}
	}
}

// The program listens, serves, and ends in good order, with its port free again.
func TestProgram(t *testing.T) {
	cfg := config.Default()
	cfg.Listen, cfg.Data, cfg.Auth.Anonymous = "127.0.0.1:0", t.TempDir(), config.Everything()
	for range 2 { // the second on the same data
		var address wiring.Address
		app := fxtest.New(t, wiring.Program(cfg, "test", slog.NewTextHandler(t.Output(), nil)), fx.Populate(&address))
		app.RequireStart()
		url := "http://" + address.String()
		for path, want := range map[string]string{"/readyz": "ready", "/metrics": "nave_log_offset"} {
			if body := get(t, url+path); !strings.Contains(body, want) {
				t.Errorf("GET %s = %.200s, want %q in it", path, body, want)
			}
		}
		resp, err := http.Post(url+"/metrics", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if allow := resp.Header.Get("Allow"); resp.StatusCode != http.StatusMethodNotAllowed || allow != "GET, HEAD, OPTIONS" {
			t.Errorf("POST /metrics: %s, Allow %q", resp.Status, allow)
		}
		app.RequireStop()
		http.DefaultClient.CloseIdleConnections()
	}
	cfg.Listen = "256.0.0.1:1"
	if err := fx.New(wiring.Program(cfg, "test", slog.DiscardHandler)).Err(); err == nil {
		t.Error("an address that cannot be is no error")
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// echo publishes what it is told, under another topic.
type echo struct{ out hub.Publisher }

func (e echo) Handle(ctx context.Context, event nave.Event) error {
	_, err := e.out.Publish(ctx, nave.Event{Topic: "echo/1", Type: event.Type, Data: event.Data})
	return err
}

func TestExtensionsRunInTheHub(t *testing.T) {
	var publisher hub.Publisher
	var h *hub.Hub
	app := fxtest.New(t, wiring.Core, wiring.MemoryLog(), wiring.OpenToAll, fx.Populate(&publisher, &h),
		wiring.Extension(hub.Extension{
			Name: "echo", Filters: nave.Filters{"call/*"},
			New: func(out hub.Publisher) hub.Handler { return echo{out} },
		}))
	app.RequireStart()
	defer app.RequireStop()
	p, err := publisher.Publish(t.Context(), nave.Event{Topic: "call/1", Type: "called", Data: json.RawMessage(`"hello"`)})
	if err != nil {
		t.Fatal(err)
	}
	page, err := h.Poll(t.Context(), client.Request{Filters: nave.Filters{"echo/*"}, Cursor: p.Cursor.String()}, 20*time.Second)
	if err != nil || len(page.Frames) != 1 || string(page.Frames[0].Event.Data) != `"hello"` {
		t.Errorf("echo = %+v, %v", page, err)
	}
}

// Everything that the program refuses is a problem document, whatever the path.
func TestProgramRefusesInItsOwnWords(t *testing.T) {
	cfg := config.Default()
	cfg.Listen, cfg.Data, cfg.Auth.Anonymous = "127.0.0.1:0", t.TempDir(), config.Everything()
	var address wiring.Address
	app := fxtest.New(t, wiring.Program(cfg, "test", slog.DiscardHandler), fx.Populate(&address))
	app.RequireStart()
	defer app.RequireStop()
	for _, line := range []string{
		"GET /v1/../livez", "POST //v1/events", "CONNECT example.com:443", "OPTIONS *", "GET *", "POST /metrics", "GET /metrics/",
	} {
		conn, err := net.Dial("tcp", address.String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n", line)
		answer, err := io.ReadAll(conn)
		conn.Close()
		if err != nil || !strings.Contains(string(answer), "application/problem+json") {
			t.Errorf("%s is answered with %q, %v", line, answer, err)
		}
	}
}
