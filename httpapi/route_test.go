package httpapi

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/telemetry"
)

// GET / says where everything is: all routes, but for the dashboard's files and names
// below a path, which the path's template has.
func TestIndexHasEveryRoute(t *testing.T) {
	for _, metrics := range []http.Handler{nil, http.NotFoundHandler()} {
		s := start(t, hub.Config{}, Config{Metrics: metrics})
		var links map[string]string
		if err := json.Unmarshal([]byte(s.do("GET", "/", "").ok().body), &links); err != nil {
			t.Fatal(err)
		}
		delete(links, "service")
		var got []string
		for _, template := range links {
			path, _, _ := strings.Cut(template, "{")
			got = append(got, "/"+path)
		}
		slices.Sort(got)
		h := New(Config{Hub: s.hub, Metrics: metrics}).(*handler)
		want := slices.DeleteFunc(slices.Sorted(maps.Keys(h.routes)), func(path string) bool {
			return path == "/" || strings.HasSuffix(path, "/*") || strings.HasPrefix(path, dashboardPath+"/")
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("routes, and what / lists (-want +got):\n%s", diff)
		}
	}
}

func TestRoutes(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	s.do("GET", "/v1/event", "").refused(nave.CodeNotFound, "did you mean /v1/events?")
	s.do("GET", "/v1/events/", "").refused(nave.CodeNotFound, "did you mean /v1/events?")
	s.do("GET", "/favicon.ico", "").refused(nave.CodeNotFound, "there is /, /dashboard, /livez, /readyz, /v1/events, /v1/presence, /v1/receipts, /v1/state, /v1/tickets and /v1/token")
	for path, allow := range map[string]string{
		"/v1/events": "GET, HEAD, OPTIONS, POST",
		"/v1/state":  "GET, HEAD, OPTIONS",
		"/livez":     "GET, HEAD, OPTIONS",
	} {
		if a := s.do("DELETE", path, "").refused(codeMethodNotAllowed, allow); a.Header.Get("Allow") != allow {
			t.Errorf("DELETE %s: Allow = %q", path, a.Header.Get("Allow"))
		}
		if a := s.do("OPTIONS", path, ""); a.StatusCode != http.StatusNoContent || a.Header.Get("Allow") != allow {
			t.Errorf("OPTIONS %s: %s, Allow = %q", path, a.Status, a.Header.Get("Allow"))
		}
	}
	if a := s.do("GET", "/readyz", "").ok(); a.body != `{"status":"ready","level":"normal"}`+"\n" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("readyz = %s, %v", a.body, a.Header)
	}
	if a := s.do("GET", "/livez", "").ok(); a.body != `{"status":"alive"}`+"\n" {
		t.Errorf("livez = %s", a.body)
	}
}

func TestMountedUnderAPrefix(t *testing.T) {
	s := startFake(t, fake{})
	mux := http.NewServeMux()
	mux.Handle("/live/", http.StripPrefix("/live", s.Config.Handler))
	mux.Handle("/live", http.StripPrefix("/live", s.Config.Handler))
	for _, path := range []string{"/live", "/live/", "/live/readyz"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestCORS(t *testing.T) {
	const ours, theirs = "https://app.example", "https://evil.example"
	for _, tt := range []struct {
		name    string
		origins []string
		origin  string
		allow   string
		vary    bool
		publish int
	}{
		{"every origin", []string{"*"}, theirs, "*", false, 200},
		{"every origin, for no page", []string{"*"}, "", "*", false, 200},
		{"one that is listed", []string{ours}, ours, ours, true, 200},
		{"one that is not", []string{ours}, theirs, "", true, 403},
		{"none", nil, theirs, "", true, 403},
		{"a file", nil, "null", "", true, 403},
		{"nearly the same", []string{ours}, ours + ".evil.example", "", true, 403},
		{"any port", []string{"http://localhost:*"}, "http://localhost:3000", "http://localhost:3000", true, 200},
		{"no port", []string{"http://localhost:*"}, "http://localhost:evil.example", "", true, 403},
		{"no page", nil, "", "", true, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, hub.Config{}, Config{Origins: tt.origins})
			var headers []string
			if tt.origin != "" {
				headers = []string{"Origin", tt.origin}
			}
			check := func(a *answer) {
				t.Helper()
				if got := a.Header.Get("Access-Control-Allow-Origin"); got != tt.allow {
					t.Errorf("allowed is %q, want %q", got, tt.allow)
				}
				if got := slices.Contains(a.Header.Values("Vary"), "Origin"); got != tt.vary {
					t.Errorf("Vary: Origin = %v", got)
				}
				named := tt.allow == ours // and not as one of many
				if got := a.Header.Get("Access-Control-Allow-Credentials") == "true"; got != named {
					t.Errorf("credentials are allowed: %v, want %v", got, named)
				}
			}
			publish := s.do("POST", "/v1/events", `{"topic":"a","type":"b"}`, append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
			check(publish)
			if publish.StatusCode != tt.publish {
				t.Errorf("publish: %s %s", publish.Status, publish.body)
			}
			check(s.do("GET", "/v1/events?topic=a", "", append(headers, "Accept", "application/json")...).ok())
			before := s.do("OPTIONS", "/v1/events", "", append(headers, "Access-Control-Request-Method", "POST")...)
			check(before)
			if allowed := before.Header.Get("Access-Control-Allow-Headers"); before.StatusCode != 204 || (tt.allow != "") != strings.Contains(allowed, "Last-Event-ID") {
				t.Errorf("preflight: %s %v", before.Status, before.Header)
			}
		})
	}
}

// Who names no host has no origin of his own.
func TestNoHostIsNoOrigin(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	conn := s.dial("POST /v1/events HTTP/1.1\r\nHost:\r\nOrigin: null\r\nContent-Length: 0\r\n\r\n")
	checkProblem(t, firstProblem(conn), nave.CodeForbidden, "may change nothing here")
}

func TestSameOriginMayPublish(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	s.publish(`{"topic":"a","type":"b"}`, "Origin", s.URL)
}

// Streams have the headers of CORS too, though net/http does not write them.
func TestCORSOfStreams(t *testing.T) {
	s := start(t, hub.Config{}, Config{Origins: []string{"*"}})
	c := s.subscribe("topic=a", "Origin", "https://app.example")
	if got := c.response.Header.Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("allowed is %q", got)
	}
}

// spans yields the names of spans as they end.
type spans struct {
	embedded.TracerProvider
	ended chan string
}

type tracer struct {
	embedded.Tracer
	*spans
}

type span struct {
	noop.Span
	ended chan<- string
	name  string
}

func (s *spans) Tracer(string, ...trace.TracerOption) trace.Tracer { return tracer{spans: s} }

func (tr tracer) Start(ctx context.Context, name string, _ ...trace.SpanStartOption) (context.Context, trace.Span) {
	s := span{ended: tr.spans.ended, name: name}
	return trace.ContextWithSpan(ctx, s), s
}

func (s span) End(...trace.SpanEndOption) { s.ended <- s.name }

func TestSpans(t *testing.T) {
	overBoth(t, func(t *testing.T, start func(*testing.T, hub.Config, Config) *server) {
		recorded := &spans{ended: make(chan string, 10)}
		tel, err := telemetry.New(telemetry.Config{TracerProvider: recorded})
		if err != nil {
			t.Fatal(err)
		}
		s := start(t, hub.Config{Telemetry: tel}, Config{Telemetry: tel})
		c := s.subscribe("topic=a")
		c.expect("hub.sync")
		s.publish(`{"topic":"a","type":"x"}`)
		s.page("topic=a")
		s.do("GET", "/v1/state?topic=a", "").ok()
		// The stream is open, and its span has ended.
		var ended []string
		for range 5 {
			ended = append(ended, <-recorded.ended)
		}
		slices.Sort(ended)
		want := []string{"GET /v1/events", "GET /v1/state", "POST /v1/events", "publish", "subscribe"}
		if diff := cmp.Diff(want, ended); diff != "" {
			t.Errorf("spans (-want +got):\n%s", diff)
		}
	})
}
