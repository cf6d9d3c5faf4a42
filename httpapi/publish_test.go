package httpapi

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
)

func TestPublish(t *testing.T) {
	s := start(t, hub.Config{Topics: []hub.TopicRule{{Filter: "mouse/*", Durability: nave.Transient}}}, Config{})
	epoch := string(s.hub.Epoch())
	for _, tt := range []struct{ name, body, contentType, want string }{
		{"one event", `{"topic":"cards/1","type":"made"}`, "", `{"cursor":"E-1","events":[{"offset":1}]}`},
		{"with everything", `{"topic":"cards/1","type":"made","key":"k","data":{"a":[1]},"id":"i","source":"s","time":"2026-01-02T03:04:05.6+01:00","ifVersion":0}`,
			"application/json; charset=UTF-8", `{"cursor":"E-2","events":[{"id":"i","offset":2,"version":2}]}`},
		{"a batch", ` [{"topic":"a","type":"x"},{"topic":"b","type":"y","key":"k"}]`, "application/json",
			`{"cursor":"E-4","events":[{"offset":3},{"offset":4,"version":4}]}`},
		{"bare curl", `{"topic":"cards/1","type":"made","data":null}`, "application/x-www-form-urlencoded",
			`{"cursor":"E-5","events":[{"offset":5}]}`},
		{"transient", `{"topic":"mouse/1","type":"moved","id":"i"}`, "", `{"events":[{"id":"i"}]}`},
		{"escapes", `{"topic":"caf\u00e9","type":"\ud83d\ude00","key":"\ufffd"}`, "",
			`{"cursor":"E-6","events":[{"offset":6,"version":6}]}`},
		{"what only looks like half a character", `{"topic":"a","type":"\\ud800","key":"\\\\ud800","source":"\ud83d\ude00\\ude00"}`, "",
			`{"cursor":"E-7","events":[{"offset":7,"version":7}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var headers []string
			if tt.contentType != "" {
				headers = []string{"Content-Type", tt.contentType}
			}
			a := s.do("POST", "/v1/events", tt.body, headers...).ok()
			if want := strings.ReplaceAll(tt.want, "E-", epoch+"-") + "\n"; a.body != want {
				t.Errorf("answer = %swant %s", a.body, want)
			}
			if a.Header.Get("Content-Type") != "application/json" || a.Header.Get(repeatHeader) != "" {
				t.Errorf("headers = %v", a.Header)
			}
		})
	}
	second := s.page("topic=cards/*&cursor=" + epoch + "-0").Events[1]
	if want := time.Date(2026, 1, 2, 2, 4, 5, 6e8, time.UTC); !second.Time.Equal(want) || string(second.Data) != `{"a":[1]}` || second.Source != "s" {
		t.Errorf("what was published is read as %+v", second)
	}
}

func TestPublishRefuses(t *testing.T) {
	s := start(t, hub.Config{Limits: hub.Limits{Batch: 3, EventBytes: 100}}, Config{MaxBody: 1000})
	event := func(more string) string { return `{"topic":"cards/1","type":"made"` + more + `}` }
	for _, tt := range []struct {
		name, body string
		code       nave.Code
		detail     string
	}{
		{"nothing", "", nave.CodeInvalid, "the body is empty"},
		{"space", " \n", nave.CodeInvalid, "the body is empty"},
		{"no JSON", "topic=cards/1", nave.CodeInvalid, "not valid JSON: invalid character"},
		{"broken off", `{"topic":"car`, nave.CodeInvalid, "at byte 13"},
		{"more after it", event("") + event(""), nave.CodeInvalid, "after top-level value"},
		{"a comma too much", `[` + event("") + `,]`, nave.CodeInvalid, "not valid JSON"},
		{"too deep", strings.Repeat("[", 999), nave.CodeInvalid, "not valid JSON"},
		{"not UTF-8", event(`,"key":"` + "\xff" + `"`), nave.CodeInvalid, "not valid UTF-8"},
		{"half a character", event(`,"key":"\ud83d"`), nave.CodeInvalid, "key has half a character"},
		{"half a topic", `{"topic":"\\ufffd\ud800","type":"t"}`, nave.CodeInvalid, "topic has half a character"},
		{"half a key", event(`,"key":"\\uFFFD\uDFFF"`), nave.CodeInvalid, "key has half a character"},
		{"half an id", event(`,"id":"\\\\ufffd\ud800x"`), nave.CodeInvalid, "id has half a character"},
		{"half a source", event(`,"source":"\ufffd\ud800\ud800"`), nave.CodeInvalid, "source has half a character"},
		{"the wrong way round", event(`,"key":"\ude00\ud83d"`), nave.CodeInvalid, "key has half a character"},
		{"a whole and a half", event(`,"key":"\ud83d\ude00\ude00"`), nave.CodeInvalid, "key has half a character"},
		{"a string", `"cards/1"`, nave.CodeInvalid, "an event is an object, not a string"},
		{"a number beyond all bounds", `1e999`, nave.CodeInvalid, "an event is an object, not a number"},
		{"null", `null`, nave.CodeInvalid, "an event is an object, not null"},
		{"no batch", `[]`, nave.CodeInvalid, "the batch is empty"},
		{"a batch in a batch", `[` + event("") + `,[]]`, nave.CodeInvalid, "event 1: an event is an object, not an array"},
		{"unknown member", event(`,"ifversion":1`), nave.CodeInvalid, `unknown member "ifversion": did you mean ifVersion?`},
		{"another one", event(`,"payload":1`), nave.CodeInvalid, `an event has topic, type, key, data, id, source, time and ifVersion`},
		{"upper case", `{"Topic":"cards/1"}`, nave.CodeInvalid, `did you mean topic?`},
		{"twice", event(`,"data":1,"data":2`), nave.CodeInvalid, "member data is given twice"},
		{"no topic", `{"type":"made"}`, nave.CodeInvalid, "topic is missing"},
		{"no type", `{"topic":"cards/1"}`, nave.CodeInvalid, "type is missing"},
		{"wrong topic", `{"topic":5}`, nave.CodeInvalid, "topic must be a string, not a number"},
		{"wrong key", event(`,"key":null`), nave.CodeInvalid, "key must be a string, not null"},
		{"wrong id", event(`,"id":true`), nave.CodeInvalid, "id must be a string, not true or false"},
		{"wrong source", event(`,"source":{}`), nave.CodeInvalid, "source must be a string, not an object"},
		{"wrong time", event(`,"time":"yesterday"`), nave.CodeInvalid, `time "yesterday"`},
		{"version below 0", event(`,"key":"k","ifVersion":-1`), nave.CodeInvalid, "ifVersion is -1"},
		{"half a version", event(`,"key":"k","ifVersion":1.5`), nave.CodeInvalid, "ifVersion is 1.5"},
		{"version as text", event(`,"key":"k","ifVersion":"1"`), nave.CodeInvalid, "whole number"},
		{"no version", event(`,"key":"k","ifVersion":null`), nave.CodeInvalid, "whole number"},
		{"version without key", event(`,"ifVersion":1`), nave.CodeInvalid, "needs a key"},
		{"reserved topic", `{"topic":"$hub","type":"made"}`, nave.CodeInvalid, "belong to the hub"},
		{"reserved type", `{"topic":"cards/1","type":"hub.sync"}`, nave.CodeInvalid, "belong to the hub"},
		{"second of a batch", `[` + event("") + `,{"topic":1}]`, nave.CodeInvalid, "event 1: topic must be"},
		{"too many", `[{},{},{},{}]`, nave.CodeInvalid, "event 0: topic is missing"},
		{"large event", event(`,"data":"` + strings.Repeat("x", 100) + `"`), nave.CodeTooLarge, "at most 100"},
		{"large body", event(`,"data":"` + strings.Repeat("x", 1000) + `"`), nave.CodeTooLarge, "at most 1000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name == "too many" {
				tt.code, tt.detail = nave.CodeTooMany, "more than 3 events"
			}
			s.do("POST", "/v1/events", tt.body).refused(tt.code, tt.detail)
		})
	}
	if head := s.hub.Head(); head != 0 {
		t.Errorf("%d events were stored", head)
	}
}

// What bounds a batch is what its publisher can count.
func TestABatchMayFillItsBody(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	event := func(more int) string {
		return `{"topic":"cards/1","type":"made","data":"` + strings.Repeat("x", more) + `"}`
	}
	body := "[" + strings.Repeat(event(950)+",", 999)
	body += event(1<<20-len(body)-len(event(0))-len("]")) + "]"
	trace := []string{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate", "a=" + strings.Repeat("1", 200)}
	if p := s.publish(body, trace...); len(p.Events) != 1000 || len(body) != 1<<20 {
		t.Errorf("%d events of %d bytes", len(p.Events), len(body))
	}
	s.do("POST", "/v1/events", body+" ").refused(nave.CodeTooLarge, "at most 1048576 bytes")
}

func TestPublishMediaTypes(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	for _, tt := range []struct{ header, value, detail string }{
		{"Content-Type", "application/cloudevents+json", "send application/json, or application/x-ndjson"},
		{"Content-Type", "text/plain;charset=UTF-8", `"text/plain" is not understood`},
		{"Content-Type", "multipart/form-data; boundary=x", "is not understood"},
		{"Content-Type", ";;;", "cannot be read"},
		{"Content-Type", "application/json; charset=latin1", "JSON is UTF-8"},
		{"Content-Encoding", "gzip", "send the body as it is"},
	} {
		a := s.do("POST", "/v1/events", `{"topic":"a","type":"b"}`, tt.header, tt.value).refused(codeMediaType, tt.detail)
		if a.Header.Get("Accept-Post") != "application/json, application/x-ndjson" {
			t.Errorf("%s: Accept-Post = %q", tt.value, a.Header.Get("Accept-Post"))
		}
	}
}

func TestPublishAgain(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	const body = `[{"topic":"a","type":"x","key":"k","id":"1","source":"s"},{"topic":"a","type":"x","id":"2","source":"s"}]`
	first := s.do("POST", "/v1/events", body).ok()
	s.publish(`{"topic":"a","type":"y"}`)
	again := s.do("POST", "/v1/events", body).ok()
	if again.body != first.body || again.Header.Get(repeatHeader) != "true" || first.Header.Get(repeatHeader) != "" {
		t.Errorf("first %s%v, again %s%v", first.body, first.Header, again.body, again.Header)
	}
	s.do("POST", "/v1/events", `[{"topic":"a","type":"x","id":"1","source":"s"},{"topic":"a","type":"x","id":"3","source":"s"}]`).
		refused(nave.CodePartialRepeat, "")
}

func TestPublishConflict(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	s.publish(`{"topic":"a","type":"x","key":"k","id":"1","data":{"by":"<Ada>"}}`)
	a := s.do("POST", "/v1/events", `[{"topic":"a","type":"y","key":"k","ifVersion":0},{"topic":"a","type":"y","key":"l","ifVersion":7}]`).
		refused(nave.CodeConflict, "k in a has version 1, not 0")
	var p struct {
		Conflicts []struct {
			Topic, Key         string
			IfVersion, Version uint64
			Event              *eventView
		}
	}
	a.decode(&p)
	if len(p.Conflicts) != 2 {
		t.Fatalf("conflicts = %s", a.body)
	}
	c := p.Conflicts[0]
	if c.Topic != "a" || c.Key != "k" || c.IfVersion != 0 || c.Version != 1 {
		t.Errorf("conflict = %+v", c)
	}
	var by struct{ By string }
	if err := json.Unmarshal(c.Event.Data, &by); err != nil || by.By != "<Ada>" || c.Event.Type != "x" || c.Event.Version != 1 || c.Event.ID != "1" {
		t.Errorf("event = %+v, %s", c.Event, c.Event.Data)
	}
	if none := p.Conflicts[1]; none.Version != 0 || none.IfVersion != 7 || none.Event != nil {
		t.Errorf("conflict = %+v", none)
	}
	if head := s.hub.Head(); head != 1 {
		t.Errorf("head = %d: some of the batch was stored", head)
	}
}

func TestPublishBusy(t *testing.T) {
	s := start(t, hub.Config{Topics: []hub.TopicRule{{Filter: "**", Durability: nave.Durable, Rate: 0.5, Burst: 1}}}, Config{})
	s.publish(`{"topic":"a","type":"x"}`)
	a := s.do("POST", "/v1/events", `{"topic":"a","type":"x"}`).refused(nave.CodeBusy, "")
	if after := a.Header.Get("Retry-After"); after != "2" {
		t.Errorf("Retry-After = %q, want 1 of 0.5/s rounded up to whole seconds", after)
	}
	s.publish(`{"topic":"b","type":"x"}`) // others do not feel it
}

func TestPublishSlowBody(t *testing.T) {
	s := start(t, hub.Config{}, Config{ReadTimeout: 50 * time.Millisecond})
	conn := s.dial("POST /v1/events HTTP/1.1\r\nHost: hub\r\nContent-Length: 100\r\n\r\n{")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	(&answer{t, response, string(body)}).refused(codeTimeout, "has not arrived within 50ms")
}
