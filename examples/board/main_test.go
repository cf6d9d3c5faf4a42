package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// begin runs a board until the test ends, and returns its address.
func begin(t *testing.T, more ...fx.Option) string {
	t.Helper()
	o := options{listen: "127.0.0.1:0", web: t.TempDir(), data: t.TempDir(), trouble: true}
	if err := os.WriteFile(filepath.Join(o.web, "index.html"), []byte("<title>Board</title>"), 0o600); err != nil {
		t.Fatal(err)
	}
	var at listening
	app := fxtest.New(t, application(o), fx.Populate(&at), fx.Options(more...))
	app.RequireStart()
	t.Cleanup(app.RequireStop)
	return "http://" + at.String()
}

// A person is somebody with a browser, of which this is the part that fetches.
type person struct {
	name string
	url  string
	http *http.Client
}

// visitor is a person who has not signed in.
func visitor(t *testing.T, url string) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &person{url: url, http: &http.Client{Jar: jar, Transport: transport, Timeout: 20 * time.Second}}
}

func signedIn(t *testing.T, url, name string) *person {
	t.Helper()
	p := visitor(t, url)
	p.name = name
	p.must(t, http.StatusOK, "POST", "/api/sign-in", map[string]string{"user": name}, nil)
	return p
}

// rawJSON is sent as it is.
type rawJSON string

// ask sends a request; body and into are JSON, and may be nil. Status 0 is no answer.
func (p *person) ask(method, path string, body, into any, headers ...string) (status int, text string) {
	var sent []byte
	switch body := body.(type) {
	case nil:
	case rawJSON:
		sent = []byte(body)
	default:
		sent, _ = json.Marshal(body)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, p.url+path, bytes.NewReader(sent))
	if err != nil {
		return 0, err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	answer, err := p.http.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	if into != nil && answer.StatusCode < 300 {
		if err := json.Unmarshal(got, into); err != nil {
			return 0, err.Error()
		}
	}
	return answer.StatusCode, string(got)
}

// must asks, and insists on the status.
func (p *person) must(t *testing.T, want int, method, path string, body, into any, headers ...string) string {
	t.Helper()
	status, text := p.ask(method, path, body, into, headers...)
	if status != want {
		t.Fatalf("%s %s %v: status %d, want %d: %s", method, path, body, status, want, text)
	}
	return text
}

// eventually waits until it is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for begun := time.Now(); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatalf("within a minute, not so: %s", what)
		}
	}
}

// header is that of an answer.
func (p *person) header(t *testing.T, method, path, body string) http.Header {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := p.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.Header
}

func mustParse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
