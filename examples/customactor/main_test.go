package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"

	"github.com/navehub/nave/config"
	"github.com/navehub/nave/wiring"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What is published to a conversation arrives at the session, once.
func TestConversationBridge(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	cfg := config.Default()
	cfg.Listen, cfg.Data, cfg.Auth.Anonymous = "127.0.0.1:0", t.TempDir(), config.Everything()
	var address wiring.Address
	app := fxtest.New(t, application(cfg, ""), fx.Populate(&address))
	app.RequireStart()
	defer app.RequireStop()
	url := "http://" + address.String() + "/v1/events"

	for _, event := range []string{
		`{"topic":"conversations/7","type":"message.sent","data":{"to":"**","text":"nobody is called that"}}`,
		`{"topic":"conversations/7","type":"message.sent","data":{"to":"alice","text":"Hi"}}`,
	} {
		answer, err := http.Post(url, "application/json", strings.NewReader(event))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d", event, answer.StatusCode)
		}
	}
	page := poll(t, url+"?topic=session/alice&wait=20s&cursor="+start(t, url))
	if strings.Count(page, `"topic":"session/alice"`) != 1 || !strings.Contains(page, `"text":"Hi"`) {
		t.Errorf("the session has %s", page)
	}
}

// A mail service that is down for a while is left alone for a while, and then gets
// what it missed.
func TestMail(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	var calls atomic.Int64
	down := make(chan struct{})
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		select {
		case <-down:
		default:
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer service.Close()
	cfg := config.Default()
	cfg.Listen, cfg.Data, cfg.Auth.Anonymous = "127.0.0.1:0", t.TempDir(), config.Everything()
	var address wiring.Address
	app := fxtest.New(t, application(cfg, service.URL), fx.Populate(&address))
	app.RequireStart()
	defer app.RequireStop()
	url := "http://" + address.String()
	answer, err := http.Post(url+"/v1/events", "application/json", strings.NewReader(`{"topic":"mail/1","type":"mail.due","key":"alice","data":"Hi"}`))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	wait := func(words string) {
		t.Helper()
		for begun := time.Now(); !strings.Contains(poll(t, url+"/v1/admin/breakers/mail"), words); time.Sleep(10 * time.Millisecond) {
			if time.Since(begun) > 30*time.Second {
				t.Fatalf("the breaker is %s", poll(t, url+"/v1/admin/breakers/mail"))
			}
		}
	}
	wait(`"why":"5 of 5 calls failed"`)
	if n := calls.Load(); n != 5 {
		t.Errorf("%d calls", n)
	}
	close(down)
	for begun := time.Now(); calls.Load() < 6; time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > 30*time.Second {
			t.Fatal("it is not tried again")
		}
	}
}

// start is a cursor from before everything.
func start(t *testing.T, url string) string {
	t.Helper()
	page := poll(t, url+"?topic=conversations/7")
	_, cursor, _ := strings.Cut(page, `"cursor":"`)
	epoch, _, _ := strings.Cut(cursor, "-")
	return epoch + "-0"
}

func poll(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
