package access

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/config"
	"github.com/navehub/nave/sse"
)

// A stream is one that a test reads event by event.
type stream struct {
	*testing.T
	events chan sse.Event // closed at its end
	sync   struct{ Status, Connection, Cursor string }
}

// subscribe opens a stream, and waits for its verdict.
func (h *hub) subscribe(query string, headers ...string) *stream {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), "GET", h.url+"/v1/events?"+query, nil)
	if err != nil {
		h.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	resp, err := (&http.Client{Transport: h.client.Transport}).Do(r) // without its timeout
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		h.Fatalf("subscribe: %s", resp.Status)
	}
	s := &stream{T: h.T, events: make(chan sse.Event, 100)}
	go func() { // ends with the body
		defer close(s.events)
		reader := sse.NewReader(resp.Body)
		for {
			e, err := reader.Next()
			if err != nil {
				return
			}
			s.events <- e
		}
	}()
	if err := json.Unmarshal(s.next("hub.sync"), &s.sync); err != nil || s.sync.Connection == "" {
		h.Fatalf("the verdict is %+v: %v", s.sync, err)
	}
	return s
}

// listed waits until administrators see the stream: rows are written in batches.
func (h *hub) listed(s *stream) {
	h.Helper()
	admin := bearer(h.token(administers, map[string]any{"sub": "root"}))
	for begun := time.Now(); h.do("GET", "/v1/admin/clients/"+s.sync.Connection, "", admin...).StatusCode != http.StatusOK; {
		if time.Since(begun) > 10*time.Second {
			h.Fatal("the stream is not listed")
		}
	}
}

// next waits for an event of the name, and passes heartbeats over.
func (s *stream) next(name string) []byte {
	s.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case e, ok := <-s.events:
			switch {
			case !ok:
				s.Fatalf("the stream has ended, without %s", name)
			case e.Name == name:
				return e.Data
			case e.Name != "hub.heartbeat":
				s.Fatalf("%s %s came, want %s", e.Name, e.Data, name)
			}
		case <-late:
			s.Fatalf("no %s", name)
		}
	}
}

// ends waits for the stream's end, with this word of why.
func (s *stream) ends(status string) {
	s.Helper()
	if got := s.auth(); got != status {
		s.Errorf("the token is said to be %s, want %s", got, status)
	}
	if bye := string(s.next("hub.bye")); !strings.Contains(bye, `"reason":"auth"`) {
		s.Errorf("hub.bye = %s", bye)
	}
	if e, ok := <-s.events; ok {
		s.Errorf("after hub.bye comes %s %s", e.Name, e.Data)
	}
}

func (s *stream) auth() string {
	s.Helper()
	var got struct{ Status, Connection string }
	if err := json.Unmarshal(s.next("hub.auth"), &got); err != nil || got.Connection != s.sync.Connection {
		s.Fatalf("hub.auth = %+v, %v", got, err)
	}
	return got.Status
}

var (
	reads       = map[string]any{"subscribe": []string{"a/**"}}
	publishes   = map[string]any{"publish": []string{"a/**"}}
	administers = map[string]any{"admin": []string{"**"}}
)

func lasting(d time.Duration, others map[string]any) map[string]any {
	all := map[string]any{"exp": time.Now().Add(d).Unix() + 1} // whole seconds
	for name, value := range others {
		all[name] = value
	}
	return all
}

// A token that ends is warned of, and ends its stream; in no other way is it silently
// worth less.
func TestNeverSilentlyAnonymous(t *testing.T) {
	transports(t, func(t *testing.T, h *hub) {
		token := h.token(reads, lasting(2*time.Second, nil))
		s := h.subscribe("topic=a/**", bearer(token)...)
		h.do("POST", "/v1/events", `{"topic":"a/1","type":"t"}`, bearer(h.token(publishes, nil))...).decode(t, &struct{}{})
		s.next("t")
		if got := s.auth(); got != "expiring" {
			t.Errorf("at first it is said to be %s", got)
		}
		s.ends("expired")
		a := h.do("GET", "/v1/events?topic=a/**", "", append(bearer(token), "Last-Event-ID", s.sync.Cursor, "Accept", "text/event-stream")...)
		if a.StatusCode != http.StatusUnauthorized || !strings.Contains(a.body, "expired") {
			t.Errorf("to come back with it: %s %s", a.Status, a.body)
		}
	})
}

func TestTokensAreRenewed(t *testing.T) {
	transports(t, func(t *testing.T, h *hub) {
		s := h.subscribe("topic=a/**", bearer(h.token(reads, lasting(3*time.Second, nil)))...)
		renew := func(token string) answer {
			return h.do("POST", "/v1/token", `{"connection":"`+s.sync.Connection+`"}`, bearer(token)...)
		}
		narrow := map[string]any{"subscribe": []string{"a/1"}}
		for name, token := range map[string]string{
			"another subject's": h.token(reads, map[string]any{"sub": "bob"}),
			"one for less":      h.token(narrow, nil),
			"one for nothing":   h.token(publishes, nil),
		} {
			if a := renew(token); a.StatusCode != http.StatusForbidden {
				t.Errorf("%s: %s %s", name, a.Status, a.body)
			}
		}
		if a := renew(h.token(reads, map[string]any{"exp": time.Now().Add(-time.Minute).Unix()})); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("an expired one: %s %s", a.Status, a.body)
		}
		var renewed struct {
			Connection string
			Expires    time.Time
		}
		renew(h.token(reads, nil)).decode(t, &renewed)
		if renewed.Connection != s.sync.Connection || time.Until(renewed.Expires) < 50*time.Minute {
			t.Errorf("renewed: %+v", renewed)
		}
		if got := s.auth(); got != "renewed" {
			t.Errorf("it is said to be %s", got)
		}
		time.Sleep(4 * time.Second) // longer than the first token
		h.do("POST", "/v1/events", `{"topic":"a/1","type":"t"}`, bearer(h.token(publishes, nil))...).decode(t, &struct{}{})
		s.next("t")
	})
}

// A revocation takes effect at once, and is in force after a restart.
func TestRevocation(t *testing.T) {
	h := start(t, nil)
	admin := bearer(h.token(administers, map[string]any{"sub": "root"}))
	fingerprint := func(token string) string {
		sum := auth.Fingerprint(token)
		return hex.EncodeToString(sum[:])
	}
	id := h.token(reads, map[string]any{"jti": "7", "sub": "a"})
	subject := h.token(reads, map[string]any{"sub": "b"})
	named := h.token(reads, map[string]any{"sub": "c"})
	living := h.token(reads, map[string]any{"sub": "d", "jti": nil})
	other := h.token(reads, map[string]any{"sub": "e"})
	tokens := []string{id, subject, named, living}
	streams := make([]*stream, len(tokens))
	for i, token := range tokens {
		streams[i] = h.subscribe("topic=a/**", bearer(token)...)
	}
	h.listed(streams[3])
	untouched := h.subscribe("topic=a/**", bearer(other)...)
	waits := make(chan answer)
	go func() {
		waits <- h.do("GET", "/v1/events?topic=a/**&wait=20s&cursor="+streams[0].sync.Cursor, "", append(bearer(id), "Accept", "application/json")...)
	}()
	time.Sleep(200 * time.Millisecond) // until the poll waits
	var keys []string
	for i, about := range []string{
		`{"jti":"7","reason":"lost phone"}`, `{"subject":"b"}`, `{"token":"` + fingerprint(named) + `"}`, `{"connection":"` + streams[3].sync.Connection + `"}`,
	} {
		begun := time.Now()
		var revoked struct {
			Key, By string
			Until   time.Time
		}
		h.do("POST", "/v1/admin/revocations", about, admin...).decode(t, &revoked)
		streams[i].ends("revoked")
		if took := time.Since(begun); took > time.Second {
			t.Errorf("%s took %v to take effect", about, took)
		}
		if left := time.Until(revoked.Until); i < 3 && left < 365*24*time.Hour || i == 3 && (left < 0 || left > 2*time.Hour) {
			t.Errorf("%s is kept for %v", about, left)
		}
		if revoked.By != "root" || revoked.Key == "" {
			t.Errorf("%s: %+v", about, revoked)
		}
		keys = append(keys, revoked.Key)
	}
	if a := <-waits; a.StatusCode != http.StatusUnauthorized {
		t.Errorf("a poll that waited: %s %s", a.Status, a.body)
	}
	if a := h.do("POST", "/v1/admin/revocations", `{"connection":"999999"}`, admin...); a.StatusCode != http.StatusNotFound {
		t.Errorf("of a connection that is not there: %s %s", a.Status, a.body)
	}
	refused := func(when string) {
		t.Helper()
		for i, token := range tokens {
			if a := h.do("GET", "/v1/state?topic=a/**", "", bearer(token)...); a.StatusCode != http.StatusUnauthorized || !strings.Contains(a.body, "revoked") {
				t.Errorf("%s, token %d: %s %s", when, i, a.Status, a.body)
			}
		}
	}
	refused("before the restart")
	h.do("GET", "/v1/state?topic=a/**", "", bearer(other)...).decode(t, &struct{}{})
	h.do("POST", "/v1/events", `{"topic":"a/1","type":"t"}`, bearer(h.token(publishes, nil))...).decode(t, &struct{}{})
	untouched.next("t")

	h.stop()
	h.start()
	refused("after the restart")
	var list struct {
		Revocations []struct{ Key, Reason string }
	}
	h.do("GET", "/v1/admin/revocations", "", admin...).decode(t, &list)
	if len(list.Revocations) != len(keys) || list.Revocations[0].Reason != "lost phone" {
		t.Errorf("revocations are %+v", list)
	}
	if a := h.do("DELETE", "/v1/admin/revocations/"+keys[0], "", admin...); a.StatusCode != http.StatusNoContent {
		t.Errorf("lift: %s %s", a.Status, a.body)
	}
	h.stop()
	h.start()
	h.do("GET", "/v1/state?topic=a/**", "", bearer(id)...).decode(t, &struct{}{})
	if log := h.log.String(); !strings.Contains(log, "msg=administered") || !strings.Contains(log, `action="lift revocation"`) {
		t.Error("the audit log lacks what was administered")
	}
}

// Whoever is let in, and takes long to say what for, is looked at again.
func TestWhatIsHeldBackDoesNotEscapeRevocation(t *testing.T) {
	h := start(t, nil)
	admin := bearer(h.token(administers, map[string]any{"sub": "root"}))
	for name, tt := range map[string]struct{ path, body string }{
		"an administrator": {"/v1/admin/revocations", `{"subject":"root"}`},
		"a renewal":        {"/v1/token", `{"connection":"1"}`},
	} {
		body, rest := io.Pipe()
		r, _ := http.NewRequestWithContext(t.Context(), "POST", h.url+tt.path, body)
		r.Header.Set("Authorization", "Bearer "+h.token(administers, map[string]any{"sub": "mallory-" + tt.path}))
		answered := make(chan int, 1)
		go func() { // ends with the answer
			resp, err := h.client.Do(r)
			if err != nil {
				answered <- 0
				return
			}
			resp.Body.Close()
			answered <- resp.StatusCode
		}()
		_, _ = io.WriteString(rest, tt.body[:1])
		time.Sleep(100 * time.Millisecond) // until it has been let in
		h.do("POST", "/v1/admin/revocations", `{"subject":"mallory-`+tt.path+`"}`, admin...).decode(t, &struct{}{})
		_, _ = io.WriteString(rest, tt.body[1:])
		_ = rest.Close()
		if status := <-answered; status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, status)
		}
	}
}

// A stream of lines may outlast its token: no line is published after it.
func TestLinesAfterARevocation(t *testing.T) {
	h := start(t, nil)
	body, lines := io.Pipe()
	defer lines.Close()
	r, _ := http.NewRequestWithContext(t.Context(), "POST", h.url+"/v1/events", body)
	r.Header.Set("Authorization", "Bearer "+h.token(publishes, nil))
	r.Header.Set("Content-Type", "application/x-ndjson")
	resp, err := h.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answers := bufio.NewReader(resp.Body)
	line := func() string {
		_, _ = io.WriteString(lines, `{"topic":"a/1","type":"t"}`+"\n")
		answer, err := answers.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if a := line(); !strings.Contains(a, `"offset"`) {
		t.Errorf("before: %s", a)
	}
	h.do("POST", "/v1/admin/revocations", `{"subject":"alice"}`, bearer(h.token(administers, map[string]any{"sub": "root"}))...).decode(t, &struct{}{})
	if a := line(); !strings.Contains(a, `"status":401`) {
		t.Errorf("after: %s", a)
	}
}

// A renewal is of a stream: it does nothing to the polls of others.
func TestRenewalsLeavePollsAlone(t *testing.T) {
	h := start(t, nil)
	var page struct{ Cursor string }
	reader := append(bearer(h.token(reads, nil)), "Accept", "application/json")
	h.do("GET", "/v1/events?topic=a/**", "", reader...).decode(t, &page)
	answered := make(chan time.Duration, 1)
	go func() { // ends with the poll
		begun := time.Now()
		h.do("GET", "/v1/events?topic=a/**&wait=2s&cursor="+page.Cursor, "", reader...)
		answered <- time.Since(begun)
	}()
	other := bearer(h.token(nil, map[string]any{"nave": nil, "sub": "mallory"}))
	for waited := time.Duration(0); ; {
		select {
		case waited = <-answered:
		default:
			if a := h.do("POST", "/v1/token", `{"connection":"1"}`, other...); a.StatusCode != http.StatusNotFound {
				t.Fatalf("%s %s", a.Status, a.body)
			}
			continue
		}
		if waited < 2*time.Second {
			t.Errorf("the poll ended after %v", waited)
		}
		return
	}
}

// Administrators see who is connected, and can end a connection.
func TestDisconnect(t *testing.T) {
	transports(t, func(t *testing.T, h *hub) {
		s := h.subscribe("topic=a/**", bearer(h.token(reads, nil))...)
		h.listed(s)
		admin := bearer(h.token(administers, nil))
		var row struct {
			ID, Subject, State string
			Filters            []string
		}
		h.do("GET", "/v1/admin/clients/"+s.sync.Connection, "", admin...).decode(t, &row)
		if row.ID != s.sync.Connection || row.Subject != "alice" || len(row.Filters) != 1 {
			t.Errorf("the client is %+v", row)
		}
		var page struct{ Clients []struct{ ID string } }
		for subject, want := range map[string]int{"alice": 1, "bob": 0} {
			if h.do("GET", "/v1/admin/clients?subject="+subject, "", admin...).decode(t, &page); len(page.Clients) != want {
				t.Errorf("%s has %d clients", subject, len(page.Clients))
			}
		}
		if a := h.do("DELETE", "/v1/admin/clients/"+s.sync.Connection, "", admin...); a.StatusCode != http.StatusNoContent {
			t.Errorf("disconnect: %s %s", a.Status, a.body)
		}
		if bye := string(s.next("hub.bye")); !strings.Contains(bye, `"reason":"admin"`) {
			t.Errorf("hub.bye = %s", bye)
		}
	})
}

// A ticket stands for the token, for one request and no other.
func TestTickets(t *testing.T) {
	transports(t, func(t *testing.T, h *hub) {
		ticket := func(token string) string {
			t.Helper()
			var issued struct{ Ticket string }
			h.do("POST", "/v1/tickets", "", bearer(token)...).decode(t, &issued)
			return issued.Ticket
		}
		token := h.token(reads, lasting(2*time.Second, map[string]any{"jti": "7"}))
		first := ticket(token)
		s := h.subscribe("topic=a/**&ticket=" + first)
		for name, a := range map[string]answer{
			"used again":       h.do("GET", "/v1/events?topic=a/**&ticket="+first, ""),
			"for another call": h.do("POST", "/v1/events?ticket="+ticket(h.token(publishes, nil)), `{"topic":"a/1","type":"t"}`),
			"for metrics":      h.do("GET", "/metrics?ticket="+ticket(h.token(administers, nil)), ""),
			"for an admin":     h.do("GET", "/v1/admin/revocations?ticket="+ticket(h.token(administers, nil)), ""),
			"unknown":          h.do("GET", "/v1/events?topic=a/**&ticket=x", ""),
		} {
			if a.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s: %s %s", name, a.Status, a.body)
			}
		}
		if a := h.do("GET", "/v1/events?topic=b/**&ticket="+ticket(token), ""); a.StatusCode != http.StatusForbidden {
			t.Errorf("for another topic: %s %s", a.Status, a.body)
		}
		unused := ticket(token)
		s.auth()
		s.ends("expired")
		if a := h.do("GET", "/v1/events?topic=a/**&ticket="+unused, ""); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("of a token that has expired since: %s %s", a.Status, a.body)
		}
		if log := h.log.String(); strings.Contains(log, first) || strings.Contains(log, "ticket=") {
			t.Error("a ticket is in the log")
		}
	})
}

// A stream that begins while its token is revoked ends with the others.
func TestNoStreamSlipsPastARevocation(t *testing.T) {
	h := start(t, func(cfg *config.Config) { cfg.Limits.ConnectionsPerSubject = 1000 })
	admin := bearer(h.token(administers, nil))
	for round := range 10 {
		subject := fmt.Sprintf("user-%d", round)
		token := h.token(reads, map[string]any{"sub": subject})
		var streams sync.WaitGroup
		begun := make(chan struct{}, 100)
		for range 20 {
			streams.Go(func() {
				r, _ := http.NewRequestWithContext(t.Context(), "GET", h.url+"/v1/events?topic=a/**", nil)
				r.Header.Set("Accept", "text/event-stream")
				r.Header.Set("Authorization", "Bearer "+token)
				resp, err := h.client.Do(r)
				begun <- struct{}{}
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body) // to its end
					resp.Body.Close()
				}
			})
		}
		for range round { // at another moment each time
			<-begun
		}
		h.do("POST", "/v1/admin/revocations", `{"subject":"`+subject+`"}`, admin...).decode(t, &struct{}{})
		revoked := time.Now()
		streams.Wait()
		if took := time.Since(revoked); took > time.Second {
			t.Errorf("a stream has lived for another %v", took)
		}
	}
}
