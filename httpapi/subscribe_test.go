package httpapi

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/sse"
)

// overBoth runs a test over a connection that is taken over, and over HTTP/2.
func overBoth(t *testing.T, test func(t *testing.T, start func(*testing.T, hub.Config, Config) *server)) {
	t.Run("HTTP/1.1", func(t *testing.T) { test(t, start) })
	t.Run("HTTP/2", func(t *testing.T) { test(t, startHTTP2) })
}

func syncOf(t *testing.T, e sse.Event) (sync struct{ Status, Reason, Cursor, Snapshot string }) {
	t.Helper()
	if e.Name != "hub.sync" {
		t.Fatalf("event = %q %s, want hub.sync", e.Name, e.Data)
	}
	if err := json.Unmarshal(e.Data, &sync); err != nil {
		t.Fatal(err)
	}
	return sync
}

func TestSubscribe(t *testing.T) {
	overBoth(t, func(t *testing.T, start func(*testing.T, hub.Config, Config) *server) {
		s := start(t, hub.Config{}, Config{})
		c := s.subscribe("topic=cards/*&topic=users/**")
		for name, want := range map[string]string{
			"Content-Type":           "text/event-stream; charset=utf-8",
			"Cache-Control":          "no-cache, no-transform",
			"X-Accel-Buffering":      "no",
			"X-Content-Type-Options": "nosniff",
			"Content-Encoding":       "",
			"Vary":                   "Origin",
		} {
			if got := c.response.Header.Get(name); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
		if sync := syncOf(t, c.next()); sync.Status != "live" {
			t.Errorf("sync = %+v", sync)
		}
		s.publish(`{"topic":"others/1","type":"not.for.us"}`)
		s.publish(`[{"topic":"cards/1","type":"card.made","data":{"a":1}},{"topic":"users/1/x","type":"user.made"}]`)
		first := c.expect("card.made")
		second := c.expect("user.made")
		if first.ID != "" || second.ID != string(s.hub.Epoch())+"-3" {
			t.Errorf("ids = %q, %q: only a batch's last frame has one", first.ID, second.ID)
		}
		var body eventView
		if err := json.Unmarshal(first.Data, &body); err != nil || string(body.Data) != `{"a":1}` || body.Batch.N != 2 {
			t.Errorf("data = %s, %v", first.Data, err)
		}

		c.leave()
		s.publish(`{"topic":"cards/1","type":"missed"}`)
		back := s.subscribe("topic=cards/*&cursor=malformed", "Last-Event-ID", second.ID)
		if sync := syncOf(t, back.next()); sync.Status != "recovered" {
			t.Errorf("sync = %+v: the header is the newer word", sync)
		}
		back.expect("missed")
	})
}

func TestSubscribeWithSnapshot(t *testing.T) {
	overBoth(t, func(t *testing.T, start func(*testing.T, hub.Config, Config) *server) {
		s := start(t, hub.Config{}, Config{})
		s.publish(`[{"topic":"cards/1","type":"old","key":"k"},{"topic":"cards/1","type":"new","key":"k","data":1}]`)
		c := s.subscribe("topic=cards/*&snapshot=true")
		if sync := syncOf(t, c.next()); sync.Snapshot != "begin" {
			t.Errorf("sync = %+v", sync)
		}
		c.expect("new")
		if sync := syncOf(t, c.next()); sync.Snapshot != "end" || sync.Cursor != string(s.hub.Epoch())+"-2" {
			t.Errorf("sync = %+v", sync)
		}
	})
}

func TestSubscribeLines(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	response, err := s.Client().Do(s.request("GET", "/v1/events?topic=a", "", "Accept", "application/x-ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Content-Type"); got != "application/x-ndjson" {
		t.Errorf("content type = %q", got)
	}
	lines := json.NewDecoder(response.Body)
	for _, want := range []string{"hub.sync", "x"} {
		var line struct{ Type string }
		if err := lines.Decode(&line); err != nil || line.Type != want {
			t.Fatalf("line = %+v, %v, want %s", line, err, want)
		}
		s.publish(`{"topic":"a","type":"x"}`)
	}
}

// Whatever a client says its last event id was, it hears that it is of no use.
func TestSubscribeWithAnyCursor(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	s.publish(`{"topic":"a","type":"x"}`)
	epoch := string(s.hub.Epoch())
	for name, tt := range map[string]struct{ cursor, reason string }{
		"words":         {"not a cursor", "malformed"},
		"bytes":         {"\x80\xff\xfe", "malformed"},
		"another log's": {"k3v9x1-42", "foreign-epoch"},
		"ahead":         {epoch + "-99", "ahead"},
		"endless":       {strings.Repeat("z", 100_000), "malformed"},
		"nearly right":  {epoch + "-0" + strings.Repeat("0", 100), "malformed"},
		"negative":      {epoch + "--1", "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.subscribe("topic=a", "Last-Event-ID", tt.cursor)
			sync := syncOf(t, c.next())
			if sync.Status != "reset" || sync.Reason != tt.reason || sync.Cursor != epoch+"-1" {
				t.Errorf("sync = %+v, want reset, %s", sync, tt.reason)
			}
			if page := s.page("topic=a", "Last-Event-ID", tt.cursor); page.Sync.Status != "reset" || page.Sync.Reason != tt.reason {
				t.Errorf("page = %+v", page)
			}
		})
	}
}

func TestSubscribeRefuses(t *testing.T) {
	s := start(t, hub.Config{Limits: hub.Limits{Filters: 2, Clients: 1}}, Config{})
	for _, tt := range []struct {
		query  string
		code   nave.Code
		detail string
	}{
		{"", nave.CodeInvalid, "no topic asked for"},
		{"topic=", nave.CodeInvalid, "filter is missing"},
		{"topic=a//b", nave.CodeInvalid, "empty segment"},
		{"topic=**/a", nave.CodeInvalid, "must be the last segment"},
		{"topic=a%00b", nave.CodeInvalid, "control character"},
		{"topic=%ff", nave.CodeInvalid, "not valid UTF-8"},
		{"topic=a%zz", nave.CodeInvalid, "the query cannot be read"},
		{"topic=a&topic=b&topic=c", nave.CodeTooMany, "at most 2"},
		{"topics=a", nave.CodeInvalid, `unknown parameter "topics": did you mean topic?`},
		{"topic=a&colour=red", nave.CodeInvalid, "there is topic, cursor, snapshot, wait, presence and ticket"},
		{"topic=a&lastEventId=1", nave.CodeInvalid, "unknown parameter"},
		{"topic=a&cursor=1&cursor=2", nave.CodeInvalid, "cursor is given 2 times"},
		{"topic=a&snapshot=yes", nave.CodeInvalid, "true or false"},
		{"topic=a&wait=soon", nave.CodeInvalid, "such as 25s"},
		{"topic=a&wait=-1s", nave.CodeInvalid, "such as 25s"},
	} {
		for _, accept := range []string{"text/event-stream", "application/x-ndjson", "application/json"} {
			s.do("GET", "/v1/events?"+tt.query, "", "Accept", accept).refused(tt.code, tt.detail)
		}
	}
	s.do("GET", "/v1/events?topic=a", "", "Accept", "text/html").refused(codeNotAcceptable, "text/event-stream, application/x-ndjson and application/json")

	c := s.subscribe("topic=a")
	c.expect("hub.sync")
	s.do("GET", "/v1/events?topic=a", "").refused(nave.CodeOverloaded, "as many as it may")
}

// What is published cannot end a frame and begin another.
func TestNobodyInjectsFrames(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	c := s.subscribe("topic=**")
	c.expect("hub.sync")
	for _, evil := range []string{`\r`, `\n`, `\r\n\r\n`, `\u0000`, `\u0085`, `\u2028`, `\u2029`, `\u007f`} {
		evil += `data: x\nevent: hub.sync`
		for _, field := range []string{"topic", "type", "key", "id", "source"} {
			body := map[string]string{"topic": `"a"`, "type": `"x"`, field: `"a` + evil + `"`}
			text, _ := json.Marshal(rawMembers(body))
			s.do("POST", "/v1/events", string(text)).refused(nave.CodeInvalid, "control character")
		}
		data := fmt.Sprintf(`{"%s":["%[1]s"]}`, evil)
		s.publish(fmt.Sprintf("{\"topic\":\"a\",\r\n\"type\":\"\ufeffx\",\"key\":\"\u202e<script>\",\"data\":\n%s\r}", data))
		got := c.expect("\ufeffx")
		var e eventView
		if err := json.Unmarshal(got.Data, &e); err != nil || e.Key != "\u202e<script>" {
			t.Fatalf("data = %s, %v", got.Data, err)
		}
		var sent, received any
		_, _ = json.Unmarshal([]byte(data), &sent), json.Unmarshal(e.Data, &received)
		if fmt.Sprint(sent) != fmt.Sprint(received) || sent == nil {
			t.Errorf("%s is received as %s", data, e.Data)
		}
	}
}

func rawMembers(texts map[string]string) map[string]json.RawMessage {
	raw := make(map[string]json.RawMessage)
	for name, text := range texts {
		raw[name] = json.RawMessage(text)
	}
	return raw
}

// A client that leaves is noticed although nothing is written to it.
func TestClientLeaves(t *testing.T) {
	overBoth(t, func(t *testing.T, start func(*testing.T, hub.Config, Config) *server) {
		s := start(t, hub.Config{Heartbeat: time.Hour}, Config{})
		c := s.subscribe("topic=a")
		c.expect("hub.sync")
		s.waitForClients(1)
		c.leave()
		s.waitForClients(0)
	})
}

// waitForClients waits until the registry shows so many.
func (s *server) waitForClients(want int) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		n := s.hub.Registry().Snapshot().Count().Clients
		if n == want {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%d clients, want %d", n, want)
		}
	}
}

func TestIdleStreamsHoldNoGoroutine(t *testing.T) {
	s := start(t, hub.Config{Heartbeat: time.Hour}, Config{})
	open := func() { // with one goroutine of the test's own: none
		conn := s.dial("GET /v1/events?topic=a HTTP/1.1\r\nHost: hub\r\n\r\n")
		if _, err := io.ReadFull(conn, make([]byte, len("HTTP/1.1 200 OK"))); err != nil {
			t.Fatal(err)
		}
	}
	open() // and what the first one starts
	before := runtime.NumGoroutine()
	const streams = 200
	for range streams {
		open()
	}
	s.waitForClients(1 + streams)
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before+10 { // handlers end shortly after
		if time.Now().After(deadline) {
			t.Fatalf("%d idle streams hold %d goroutines", streams, runtime.NumGoroutine()-before)
		}
		runtime.Gosched()
	}
	s.publish(`{"topic":"a","type":"x"}`)
}

func TestStreamsEndWithTheHub(t *testing.T) {
	overBoth(t, func(t *testing.T, start func(*testing.T, hub.Config, Config) *server) {
		s := start(t, hub.Config{}, Config{})
		c := s.subscribe("topic=a")
		c.expect("hub.sync")
		if err := s.hub.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if bye := c.expect("hub.bye"); bye.Retry == 0 {
			t.Errorf("bye = %+v", bye)
		}
		if e, ok := <-c.events; ok {
			t.Errorf("after bye: %+v", e)
		}
		s.do("GET", "/v1/events?topic=a", "").refused(nave.CodeDraining, "")
		s.do("POST", "/v1/events", `{"topic":"a","type":"x"}`).refused(nave.CodeDraining, "")
	})
}

func TestHead(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	for path, contentType := range map[string]string{
		"/v1/events?topic=a": "text/event-stream; charset=utf-8",
		"/v1/state?topic=a":  "application/json",
		"/livez":             "application/json",
		"/readyz":            "application/json",
		"/":                  "application/json",
	} {
		a := s.do(http.MethodHead, path, "").ok()
		if a.body != "" || a.Header.Get("Content-Type") != contentType {
			t.Errorf("%s: %q, %v", path, a.body, a.Header)
		}
	}
}
