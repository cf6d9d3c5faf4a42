package httpapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/navehub/nave/actors/hub"
)

func TestPage(t *testing.T) {
	overBoth(t, func(t *testing.T, start func(*testing.T, hub.Config, Config) *server) {
		s := start(t, hub.Config{}, Config{})
		epoch := string(s.hub.Epoch())
		s.publish(`{"topic":"a","type":"before"}`)
		first := s.page("topic=*")
		if first.Sync.Status != "live" || first.Cursor != epoch+"-1" || first.Level != "normal" || first.Events == nil {
			t.Errorf("first page = %+v", first)
		}
		s.publish(`[{"topic":"a","type":"x","key":"k","data":{"n":1},"time":"2026-01-02T03:04:05Z"},{"topic":"b/c","type":"not.for.us"}]`)
		s.publish(`{"topic":"b","type":"y"}`)
		a := s.do("GET", "/v1/events?topic=*&cursor="+first.Cursor, "", "Accept", "application/json").ok()
		want := `{"cursor":"` + epoch + `-4","sync":{"status":"recovered","cursor":"` + epoch + `-4"},"level":"normal","events":[` +
			`{"type":"x","topic":"a","key":"k","version":2,"offset":2,"time":"2026-01-02T03:04:05Z","batch":{"i":0,"n":2},"data":{"n":1}},{"type":"y",`
		if len(a.body) < len(want) || a.body[:len(want)] != want {
			t.Errorf("page = %s\nwant   %s…", a.body, want)
		}
		if got := s.page("topic=*", "Last-Event-ID", epoch+"-3").types(); got != "y" {
			t.Errorf("by header: %q", got)
		}
		if got := s.page("topic=*&cursor=" + epoch + "-4").types(); got != "" {
			t.Errorf("at the head: %q", got)
		}
	})
}

// A page that is sent while it is made says the same.
func TestLargePage(t *testing.T) {
	overBoth(t, func(t *testing.T, start func(*testing.T, hub.Config, Config) *server) {
		s := start(t, hub.Config{}, Config{})
		cursor := string(s.hub.Epoch()) + "-0"
		for n := range 4 {
			s.publish(`{"topic":"a","type":"x","data":"` + strings.Repeat("x", n*largePage/2) + `"}`)
			page := s.page("topic=a&cursor=" + cursor)
			if len(page.Events) != n+1 {
				t.Fatalf("%d events of %d", len(page.Events), n+1)
			}
			for i, e := range page.Events {
				if len(e.Data) != i*largePage/2+len(`""`) {
					t.Errorf("event %d has %d bytes of data", i, len(e.Data))
				}
			}
		}
		head := s.do("HEAD", "/v1/events?topic=a&cursor="+cursor, "", "Accept", "application/json").ok()
		if head.body != "" || head.Header.Get("ETag") == "" {
			t.Errorf("head = %q, %v", head.body, head.Header)
		}
	})
}

func TestLongPoll(t *testing.T) {
	overBoth(t, func(t *testing.T, start func(*testing.T, hub.Config, Config) *server) {
		s := start(t, hub.Config{}, Config{})
		cursor := s.page("topic=a").Cursor
		pages := make(chan pageView)
		begin := time.Now()
		go func() { pages <- s.page("topic=a&wait=25s&cursor=" + cursor) }()
		s.publish(`{"topic":"b","type":"not.for.us"}`)
		s.publish(`{"topic":"a","type":"x"}`)
		if page := <-pages; page.types() != "x" || page.Sync.Status != "recovered" {
			t.Errorf("page = %+v", page)
		}
		if took := time.Since(begin); took > patience {
			t.Errorf("it took %v", took)
		}
	})
}

func TestLongPollEnds(t *testing.T) {
	s := start(t, hub.Config{}, Config{MaxWait: 20 * time.Millisecond})
	cursor := s.page("topic=a").Cursor
	if page := s.page("topic=a&wait=1h&cursor=" + cursor); page.Cursor != cursor || len(page.Events) > 0 {
		t.Errorf("page = %+v", page)
	}
}

func TestPageETag(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	get := func(query, tag string) *answer {
		t.Helper()
		return s.do("GET", "/v1/events?topic=a&"+query, "", "Accept", "application/json", "If-None-Match", tag)
	}
	first := get("", "")
	tag := first.Header.Get("ETag")
	if first.Header.Get("Cache-Control") != "private, no-cache" || tag == "" {
		t.Errorf("headers = %v", first.Header)
	}
	if diff := cmp.Diff([]string{"Origin", "Accept", "Last-Event-ID"}, first.Header.Values("Vary")); diff != "" {
		t.Errorf("Vary (-want +got):\n%s", diff)
	}
	var page pageView
	first.ok().decode(&page)
	cursor := "cursor=" + page.Cursor

	for _, same := range []string{tag, `"x", ` + tag, tag[2:], "*"} {
		a := get(cursor, same)
		if a.StatusCode != http.StatusNotModified || a.body != "" || a.Header.Get("ETag") != tag {
			t.Errorf("nothing new, having %s: %s, %s, %q", same, a.Status, a.Header.Get("ETag"), a.body)
		}
	}
	s.publish(`{"topic":"b","type":"not.for.us"}`)
	if a := get(cursor, tag); a.StatusCode != http.StatusNotModified {
		t.Errorf("nothing new for this reader: %s", a.Status)
	}
	get(cursor, `"x"`).ok()
	s.publish(`{"topic":"a","type":"x"}`)
	news := get(cursor, tag).ok()
	news.decode(&page)
	if page.types() != "x" || news.Header.Get("ETag") == tag {
		t.Errorf("page = %+v, %v", page, news.Header)
	}
	if a := get("wait=1ms&cursor="+page.Cursor, news.Header.Get("ETag")); a.StatusCode != http.StatusNotModified {
		t.Errorf("the tag of the page before and its cursor: %s %s", a.Status, a.body)
	}
	get("cursor=malformed", get("cursor=malformed", "").Header.Get("ETag")).ok() // a verdict is always told
}

func TestPageWithSnapshot(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	epoch := string(s.hub.Epoch())
	s.publish(`[{"topic":"a","type":"old","key":"k"},{"topic":"a","type":"new","key":"k","data":1},{"topic":"a","type":"other","key":"l","data":2}]`)
	for _, query := range []string{"", "&cursor=malformed"} {
		page := s.page("topic=a&snapshot=true" + query)
		if page.types() != "new other" || page.Cursor != epoch+"-3" || page.Sync.Snapshot != "whole" || page.Events[0].Batch.N != 0 {
			t.Errorf("page = %+v", page)
		}
	}
	if page := s.page("topic=a&snapshot=true&cursor=" + epoch + "-2"); page.types() != "other" || page.Sync.Snapshot != "" {
		t.Errorf("a reader that resumes needs no snapshot: %+v", page)
	}
}

func TestState(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	epoch := string(s.hub.Epoch())
	if a := s.do("GET", "/v1/state?topic=a", "").ok(); a.body != `{"cursor":"`+epoch+`-0","items":[]}`+"\n" {
		t.Errorf("state of nothing = %s", a.body)
	}
	s.publish(`[{"topic":"a","type":"x","key":"k","data":0},{"topic":"a","type":"y","key":"k","data":{"html":"<b>&"},"time":"2026-01-02T03:04:05+01:00"}]`)
	s.publish(`[{"topic":"a","type":"x","key":"gone","data":1},{"topic":"a","type":"y","key":"gone"},{"topic":"b","type":"x","key":"k","data":1},{"topic":"a","type":"no.key"}]`)
	a := s.do("GET", "/v1/state?topic=a&topic=c/**", "").ok()
	if want := `"data":{"html":"<b>&"}`; !json.Valid([]byte(a.body)) || !strings.Contains(a.body, want) {
		t.Errorf("state = %s, want %s in it", a.body, want)
	}
	var state struct {
		Cursor string
		Items  []item
	}
	a.decode(&state)
	want := []item{{Topic: "a", Key: "k", Version: 2, Type: "y", Time: time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC), Data: []byte(`{"html":"<b>&"}`)}}
	if diff := cmp.Diff(want, state.Items); diff != "" || state.Cursor != epoch+"-6" {
		t.Errorf("cursor %s, items (-want +got):\n%s", state.Cursor, diff)
	}
	if again := s.do("GET", "/v1/state?topic=a&topic=c/**", "", "If-None-Match", a.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("the same state again: %s", again.Status)
	}
	s.do("GET", "/v1/state", "").refused("invalid", "no topic asked for")
	s.do("GET", "/v1/state?topic=a&cursor=1", "").refused("invalid", `unknown parameter "cursor"`)
}
