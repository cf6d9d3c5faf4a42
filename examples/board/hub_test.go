package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/examples/board/store"
	"github.com/navehub/nave/spoke"
)

// A person sees everything, and says only what that person does.
func TestGrants(t *testing.T) {
	p := signedIn(t, begin(t), "ada")
	client := connect(t, p)
	for topic, may := range map[nave.Topic]bool{
		"cards/main": false, "users/all": false, "conversations/general": false, relayTopic: false,
		"sessions/ben": false, "analytics/ben": false, "boards/main": false,
		"sessions/ada": true, "analytics/ada": true,
	} {
		_, err := client.PublishOnce(t.Context(), nave.Event{Topic: topic, Type: "tried"})
		if may != (err == nil) || !may && nave.CodeOf(err) != nave.CodeForbidden {
			t.Errorf("publish to %s: %v", topic, err)
		}
	}
	if _, err := client.PublishOnce(t.Context(), nave.Event{Topic: "sessions/ada", Type: "tried", Source: "board"}); nave.CodeOf(err) != nave.CodeForbidden {
		t.Errorf("publish in the board's name: %v", err)
	}
	for filter, want := range map[string]int{
		"cards/**": http.StatusOK, "sessions/**": http.StatusOK, "boards/main": http.StatusOK, "outbox/board": http.StatusForbidden, "**": http.StatusForbidden,
	} {
		var answer struct{ Token string }
		p.must(t, http.StatusOK, "GET", "/api/token", nil, &answer)
		p.must(t, want, "GET", "/v1/events?presence=boards/main&topic="+filter, nil, nil, "Accept", "application/json", "Authorization", "Bearer "+answer.Token)
	}
}

// follow reads a topic in the background, until the test ends.
func follow(t *testing.T, p *person, topic nave.Filter) <-chan spoke.Event {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	events, done, live := make(chan spoke.Event, 100), make(chan struct{}), make(chan struct{}, 10)
	s := connect(t, p).Subscribe(spoke.SubscribeConfig{
		Filters: nave.Filters{topic}, Retry: 10 * time.Millisecond,
		OnStatus: func(s spoke.Status) {
			if s.State != spoke.Waiting {
				select {
				case live <- struct{}{}:
				default:
				}
			}
		},
	})
	go func() { // ends with the test
		defer close(done)
		for batch, err := range s.Batches(ctx) {
			if err != nil {
				continue // a reset: memory topics begin anew with the hub
			}
			for _, e := range batch.Events {
				events <- e
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	select {
	case <-live:
	case <-time.After(time.Minute):
		t.Fatalf("%s cannot be followed", topic)
	}
	return events
}

// receive takes the next event of a type.
func receive(t *testing.T, events <-chan spoke.Event, kind string) spoke.Event {
	t.Helper()
	for {
		select {
		case e := <-events:
			if e.Type == kind {
				return e
			}
		case <-time.After(time.Minute):
			t.Fatalf("no %s has come", kind)
		}
	}
}

// What somebody writes in a conversation becomes an activity of the session; what
// the page says for its session is there as well.
func TestActivity(t *testing.T) {
	url := begin(t)
	eva := signedIn(t, url, "eva") // who has not written what a board begins with
	sessions := follow(t, signedIn(t, url, "ben"), "sessions/eva")
	eva.must(t, http.StatusCreated, "POST", "/api/conversations/release/messages", store.NewMessage{ID: "m", Text: "Ready"}, nil)
	e := receive(t, sessions, "session.activity")
	if e.Topic != "sessions/eva" || string(e.Data) != `{"user":"eva","what":"wrote in Release"}` {
		t.Errorf("the activity is %s %s", e.Topic, e.Data)
	}
	eva.must(t, http.StatusNoContent, "POST", "/api/sessions/heartbeat", map[string]string{"session": "s1", "state": "idle"}, nil)
	if e = receive(t, sessions, "session.idle"); e.Key != "s1" || e.Source != "eva" {
		t.Errorf("the session says %s %s", e.Key, e.Source)
	}
	eva.must(t, http.StatusNoContent, "POST", "/api/sessions/heartbeat", map[string]string{"session": "s1", "state": "ended"}, nil)
	if e = receive(t, sessions, "session.ended"); e.Key != "s1" || len(e.Data) > 0 {
		t.Errorf("the session ends with %s %s", e.Key, e.Data)
	}
	eva.must(t, http.StatusUnprocessableEntity, "POST", "/api/sessions/heartbeat", map[string]string{"session": "s1", "state": "asleep"}, nil)
}

// Clicks are counted, whether they come as transient events or, without streams, to
// the api; and the count outlives the hub.
func TestCounter(t *testing.T) {
	url := begin(t)
	p := signedIn(t, url, "ada")
	client := connect(t, p)
	click := nave.Event{Topic: "analytics/ada", Type: "button.clicked", Data: []byte(`{"button":"undo"}`)}
	if _, err := client.Publish(t.Context(), click, click); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	eventually(t, "two clicks are counted", func() bool {
		p.must(t, http.StatusOK, "GET", "/api/analytics", nil, &counts)
		return counts["button.clicked"] == 2
	})
	switched := func(want string) {
		t.Helper()
		if text := p.must(t, http.StatusOK, "GET", "/api/trouble", nil, nil); text != `{"slow":0,"sse":"`+want+`"}` {
			t.Errorf("the trouble is %s, and not that the switch is %s", text, want)
		}
	}
	switched("on")
	p.must(t, http.StatusNoContent, "POST", "/api/trouble/switch", map[string]string{"sse": "off"}, nil)
	switched("off")
	if _, err := client.PublishOnce(t.Context(), click); nave.CodeOf(err) != nave.CodeDegraded {
		t.Errorf("a click without streams: %v", err)
	}
	p.must(t, http.StatusNoContent, "POST", "/api/analytics", rawJSON(`[{"name":"button.clicked","data":{"button":"undo"}},{"name":"seen"}]`), nil)
	p.must(t, http.StatusUnprocessableEntity, "POST", "/api/analytics", rawJSON(`[{"name":"seen"},{"name":""}]`), nil)
	p.must(t, http.StatusOK, "GET", "/api/analytics", nil, &counts)
	if counts["button.clicked"] != 3 || counts["button.clicked/undo"] != 3 || counts["seen"] != 1 {
		t.Errorf("counted are %v", counts)
	}
}

// The hub dies without a word; the board goes on, its announcements wait, and are
// there once when it is back.
func TestKillHub(t *testing.T) {
	url := begin(t)
	p := signedIn(t, url, "ada")
	var answer struct{ Token string }
	p.must(t, http.StatusOK, "GET", "/api/token", nil, &answer)
	broken := make(chan string, 1)
	stream := signedIn(t, url, "ben")
	go func() {
		_, text := stream.ask("GET", "/v1/events?topic=cards/**&topic=sessions/**", nil, nil, "Accept", "text/event-stream", "Authorization", "Bearer "+answer.Token)
		broken <- text
	}()
	eventually(t, "the stream is open", func() bool {
		return strings.Contains(p.must(t, http.StatusOK, "GET", "/v1/admin/health", nil, nil), `"clients":1`)
	})

	p.must(t, http.StatusNoContent, "POST", "/api/trouble/hub", map[string]int{"seconds": 2}, nil)
	if text := <-broken; !strings.Contains(text, "hub.sync") || strings.Contains(text, "hub.bye") {
		t.Errorf("the stream had %s", text)
	}
	eventually(t, "it is down", func() bool {
		status, _ := p.ask("GET", "/v1/events?topic=cards/**", nil, nil)
		return status == http.StatusBadGateway
	})
	p.must(t, http.StatusConflict, "POST", "/api/trouble/hub", map[string]int{"seconds": 2}, nil)
	p.must(t, http.StatusServiceUnavailable, "POST", "/api/sessions/heartbeat", map[string]string{"session": "s", "state": "active"}, nil)
	if after := p.header(t, "POST", "/api/sessions/heartbeat", `{"session":"s","state":"active"}`).Get("Retry-After"); after != "1" {
		t.Errorf("it is to be tried again after %q", after)
	}
	p.must(t, http.StatusCreated, "POST", "/api/cards", store.NewCard{ID: "alone", Column: "todo", Title: "Without a hub"}, nil)
	var audit store.Audit
	p.must(t, http.StatusOK, "GET", "/api/audit", nil, &audit)
	if audit.Outbox != 1 {
		t.Errorf("%d transactions wait", audit.Outbox)
	}
	eventually(t, "it is announced", func() bool {
		p.must(t, http.StatusOK, "GET", "/api/audit", nil, &audit)
		return audit.Outbox == 0
	})
	verify(t, p, "end")
}

// Without streams the relay goes on, and readers poll.
func TestSwitch(t *testing.T) {
	url := begin(t)
	p := signedIn(t, url, "ada")
	events := follow(t, p, "cards/main")
	p.must(t, http.StatusUnprocessableEntity, "POST", "/api/trouble/switch", map[string]string{"sse": "maybe"}, nil)
	switched := func(want string) {
		t.Helper()
		if text := p.must(t, http.StatusOK, "GET", "/api/trouble", nil, nil); text != `{"slow":0,"sse":"`+want+`"}` {
			t.Errorf("the trouble is %s, and not that the switch is %s", text, want)
		}
	}
	switched("on")
	p.must(t, http.StatusNoContent, "POST", "/api/trouble/switch", map[string]string{"sse": "off"}, nil)
	switched("off")
	level := func(want string) bool {
		return strings.Contains(p.must(t, http.StatusOK, "GET", "/v1/admin/health", nil, nil), `"level":"`+want+`"`)
	}
	eventually(t, "the level is polling", func() bool { return level("polling") })
	p.must(t, http.StatusOK, "POST", "/api/cards/card-1/move", store.Move{To: "done"}, nil)
	if e := receive(t, events, "card.moved"); e.Key != "card-1" {
		t.Errorf("moved is %s", e.Key)
	}
	p.must(t, http.StatusNoContent, "POST", "/api/trouble/switch", map[string]string{"sse": "on"}, nil)
	switched("on")
	var health struct {
		Now struct{ Service struct{ Level string } }
	}
	eventually(t, "the level is normal", func() bool {
		p.must(t, http.StatusOK, "GET", "/v1/admin/health", nil, &health)
		return health.Now.Service.Level == "normal"
	})
}

// One browser is slow, and no other.
func TestSlow(t *testing.T) {
	url := begin(t)
	ada, ben := signedIn(t, url, "ada"), signedIn(t, url, "ben")
	took := func(p *person, path string) time.Duration {
		begun := time.Now()
		p.must(t, http.StatusOK, "GET", path, nil, nil)
		return time.Since(begun)
	}
	ada.must(t, http.StatusUnprocessableEntity, "POST", "/api/trouble/slow", map[string]int{"ms": 60_000}, nil)
	ada.must(t, http.StatusNoContent, "POST", "/api/trouble/slow", map[string]int{"ms": 1500}, nil)
	var trouble struct{ Slow int }
	if ada.must(t, http.StatusOK, "GET", "/api/trouble", nil, &trouble); trouble.Slow != 1500 {
		t.Errorf("the trouble is %+v", trouble)
	}
	for _, path := range []string{"/api/me", "/livez"} {
		if slow := took(ada, path); slow < 1500*time.Millisecond {
			t.Errorf("%s took %v", path, slow)
		}
	}
	if quick := took(ben, "/api/me"); quick > time.Second {
		t.Errorf("the other one took %v", quick)
	}
	ada.must(t, http.StatusNoContent, "POST", "/api/trouble/slow", map[string]int{"ms": 0}, nil)
	if quick := took(ada, "/api/me"); quick > time.Second {
		t.Errorf("afterwards it took %v", quick)
	}
}
