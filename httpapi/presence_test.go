package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/registry"
)

type presenceView struct {
	Topics []struct {
		Topic   string
		Total   int
		Members []registry.Member
		Next    string
	}
}

// present asks until as many are there as are wanted: rows are a few milliseconds old.
func (s *server) present(query string, want ...int) (v presenceView) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		v = presenceView{}
		s.do("GET", "/v1/presence?"+query, "").ok().decode(&v)
		var totals []int
		for _, t := range v.Topics {
			totals = append(totals, t.Total)
		}
		if slices.Equal(totals, want) {
			return v
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("presence of %s: %+v, want %v", query, v, want)
		}
	}
}

func TestPresenceOverHTTP(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	a := s.subscribe("topic=cards/*&presence=boards/7&presence=boards/8&presence=boards/7")
	a.expect("hub.sync", "hub.presence", "hub.presence")
	b := s.subscribe("topic=cards/*&presence=boards/7")
	list := b.expect("hub.sync", "hub.presence")
	var told struct {
		Topic string
		Data  struct {
			Topic   string
			Total   int
			Members []registry.Member
		}
	}
	if err := json.Unmarshal(list.Data, &told); err != nil {
		t.Fatal(err)
	}
	if d := told.Data; told.Topic != "$presence/boards/7" || d.Topic != "boards/7" || d.Total != 2 || len(d.Members) != 2 || d.Members[1].Subject != "anonymous 2" || !d.Members[1].Anonymous || list.ID != "" {
		t.Errorf("list = %s", list.Data)
	}
	if join := a.expect("hub.presence"); !strings.Contains(string(join.Data), `"changes":[{"change":"join","subject":"anonymous 2","anonymous":true,"since":"`) {
		t.Errorf("join = %s", join.Data)
	}
	v := s.present("topic=boards/7&topic=boards/8&topic=nobody", 2, 1, 0)
	if m := v.Topics[0].Members[0]; m.Subject != "anonymous 1" || m.Idle || len(m.Connections) != 1 || m.Connections[0].ID != "1" || m.Since.IsZero() {
		t.Errorf("members = %+v", v.Topics[0].Members)
	}
	if v.Topics[2].Members == nil {
		t.Error("nobody is no list")
	}

	first := s.do("GET", "/v1/presence?topic=boards/7", "").ok()
	tag := first.Header.Get("ETag")
	if again := s.do("GET", "/v1/presence?topic=boards/7", "", "If-None-Match", tag); again.StatusCode != http.StatusNotModified {
		t.Errorf("again: %s", again.Status)
	}
	if a := s.do("POST", "/v1/presence", `{"connection":"2","idle":true}`); a.StatusCode != http.StatusNoContent {
		t.Errorf("idle: %s %s", a.Status, a.body)
	}
	if idle := a.expect("hub.presence"); !strings.Contains(string(idle.Data), `"change":"idle","subject":"anonymous 2"`) {
		t.Errorf("idle = %s", idle.Data)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if s.do("GET", "/v1/presence?topic=boards/7", "", "If-None-Match", tag).StatusCode == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("an idle member is no news")
		}
	}
	poll := s.page("topic=cards/*&presence=boards/9")
	if poll.Sync.Status != "live" {
		t.Errorf("poll = %+v", poll)
	}
	if m := s.present("topic=boards/9", 1).Topics[0].Members[0]; m.Subject != "anonymous" || len(m.Connections) != 0 || m.Connections == nil {
		t.Errorf("who polls is %+v", m)
	}
}

func TestPresenceComesInPages(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	const all = presencePage + 3
	for i := range all {
		s.hub.Registry().PutMember(registry.Member{Topic: "boards/7", Subject: fmt.Sprintf("s%04d", i)})
	}
	s.hub.Registry().PutMember(registry.Member{Topic: "boards/70", Subject: "another topic's"})
	v := s.present("topic=boards/7", all)
	if got := v.Topics[0]; len(got.Members) != presencePage || got.Next == "" {
		t.Fatalf("first page: %d members, next %q", len(got.Members), got.Next)
	}
	v = s.present("topic=boards/7&after="+v.Topics[0].Next, all)
	if got := v.Topics[0]; len(got.Members) != 3 || got.Members[0].Subject != "s0250" || got.Next != "" {
		t.Errorf("last page: %+v", got)
	}
}

func TestPresenceIsRefused(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	eleven := ""
	for i := range hub.MaxPresence + 1 {
		eleven += fmt.Sprintf("&%%s=t/%d", i)
	}
	long := strings.Repeat("x", nave.MaxTopicBytes-5)
	for _, one := range []struct {
		method, path, body string
		code               nave.Code
		detail             string
	}{
		{"GET", "/v1/presence", "", nave.CodeInvalid, "add ?topic="},
		{"GET", "/v1/presence?topic=boards/*", "", nave.CodeInvalid, "* is only for filters"},
		{"GET", "/v1/presence?topic=$hub/control", "", nave.CodeInvalid, "the hub's own"},
		{"GET", "/v1/presence?topic=" + long, "", nave.CodeInvalid, "too long"},
		{"GET", "/v1/presence?" + strings.ReplaceAll(eleven, "%s", "topic")[1:], "", nave.CodeTooMany, "11 topics: at most 10"},
		{"GET", "/v1/presence?topic=a&after=%21", "", nave.CodeInvalid, "after is"},
		{"GET", "/v1/presence?topic=a&topic=b&after=YQ", "", nave.CodeInvalid, "one topic"},
		{"GET", "/v1/presence?topics=a", "", nave.CodeInvalid, "unknown parameter"},
		{"GET", "/v1/events?topic=a&presence=boards/**", "", nave.CodeInvalid, "presence: topic"},
		{"GET", "/v1/events?topic=a&presence=", "", nave.CodeInvalid, "presence: topic is missing"},
		{"GET", "/v1/events?topic=a" + strings.ReplaceAll(eleven, "%s", "presence"), "", nave.CodeTooMany, "11 topics: at most 10"},
		{"GET", "/v1/state?topic=a&presence=b", "", nave.CodeInvalid, "unknown parameter"},
		{"POST", "/v1/presence", `{"connection":"1"}`, nave.CodeInvalid, `{"connection":"17","idle":true}`},
		{"POST", "/v1/presence", `{"connection":"x","idle":true}`, nave.CodeInvalid, `{"connection":"17","idle":true}`},
		{"POST", "/v1/presence", `{"connection":"1","idle":"no"}`, nave.CodeInvalid, "JSON"},
		{"POST", "/v1/presence", `{"connection":"1","idle":true}`, nave.CodeNotFound, "there is no connection 1"},
		{"DELETE", "/v1/presence", ``, codeMethodNotAllowed, "GET, HEAD, OPTIONS, POST"},
	} {
		s.do(one.method, one.path, one.body).refused(one.code, one.detail)
	}
	if err := s.hub.Pin(t.Context(), &hub.Pin{Level: nave.LevelOff}); err != nil {
		t.Fatal(err)
	}
	s.do("GET", "/v1/presence?topic=a", "").refused(nave.CodeDegraded, "off")
	if err := s.hub.Pin(t.Context(), &hub.Pin{Level: nave.LevelPolling}); err != nil {
		t.Fatal(err)
	}
	s.page("topic=a&presence=boards/7")
	s.present("topic=boards/7", 1)
}
