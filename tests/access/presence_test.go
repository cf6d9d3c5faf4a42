package access

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Who is shown to others says who it is, by a token, and may read what it is seen on.
func TestNobodyIsPresentInAnothersName(t *testing.T) {
	h := start(t, nil)
	grant := map[string]any{"subscribe": []string{"boards/*", "cards/*"}}
	long := strings.Repeat("x", 300)
	for name, one := range map[string]struct {
		headers []string
		query   string
		status  int
		words   string
	}{
		"nobody":           {nil, "presence=boards/7", http.StatusUnauthorized, "to be present on boards/7 takes a token"},
		"no subject":       {bearer(h.token(grant, map[string]any{"sub": nil})), "presence=boards/7", http.StatusForbidden, "with a subject (sub)"},
		"a long subject":   {bearer(h.token(grant, map[string]any{"sub": long})), "presence=boards/7", http.StatusForbidden, "shorter subject"},
		"another topic":    {bearer(h.token(grant, nil)), "presence=boards/7&presence=secret/board", http.StatusForbidden, "be present on secret/board"},
		"the topic's told": {bearer(h.token(grant, nil)), "topic=$presence/boards/7", http.StatusForbidden, "subscribe to $presence/boards/7"},
		"alice":            {bearer(h.token(grant, nil)), "presence=boards/7", http.StatusOK, "hub.sync"},
	} {
		for _, accept := range []string{"text/event-stream", "application/json"} {
			a := h.do("GET", "/v1/events?topic=cards/1&"+one.query, "", append(one.headers, "Accept", accept)...)
			words := one.words
			if one.status == http.StatusUnauthorized { // it is refused what it asks to read before
				words = "takes a token"
			}
			if one.status == http.StatusOK && accept == "application/json" {
				words = `"sync"`
			}
			if a.StatusCode != one.status || !strings.Contains(a.body, words) {
				t.Errorf("%s (%s): %d, want %d with %q: %.300s", name, accept, a.StatusCode, one.status, words, a.body)
			}
		}
	}
}

// stream reads one that stays open; its lines are to be had until the test ends.
func (h *hub) stream(path string, headers ...string) (connection string, lines func(until string) string) {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), http.MethodGet, h.url+path, nil)
	if err != nil {
		h.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	resp, err := h.client.Do(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		h.Fatalf("GET %s: %v %v", path, resp, err)
	}
	h.Cleanup(func() { resp.Body.Close() })
	var text strings.Builder
	part := make([]byte, 4096)
	lines = func(until string) string {
		h.Helper()
		for !strings.Contains(text.String(), until) {
			n, err := resp.Body.Read(part)
			if text.Write(part[:n]); err != nil {
				h.Fatalf("no %s in %s: %v", until, text.String(), err)
			}
		}
		return text.String()
	}
	var sync struct{ Connection string }
	_, data, _ := strings.Cut(lines("}\n\n"), "data: ")
	if err := json.NewDecoder(strings.NewReader(data)).Decode(&sync); err != nil {
		h.Fatal(err)
	}
	return sync.Connection, lines
}

// Members see each other, and what one says of a connection counts only if it is its own.
func TestPresenceOfTwo(t *testing.T) {
	h := start(t, nil)
	h.client.Timeout = time.Minute
	token := func(subject string, topics ...string) []string {
		return bearer(h.token(map[string]any{"subscribe": topics}, map[string]any{"sub": subject}))
	}
	alice, bob := token("alice", "boards/*", "cards/*"), token("bob", "boards/*", "cards/*")
	mine, lines := h.stream("/v1/events?topic=cards/1&presence=boards/7", alice...)
	lines(`"members":[{"subject":"alice"`)
	his, hears := h.stream("/v1/events?topic=cards/1&presence=boards/7", bob...)
	hears(`"members":[{"subject":"alice"`)
	lines(`"change":"join","subject":"bob"`)
	for connection, want := range map[string]int{mine: http.StatusForbidden, his: http.StatusNoContent} {
		if a := h.do("POST", "/v1/presence", `{"connection":"`+connection+`","idle":true}`, bob...); a.StatusCode != want {
			t.Errorf("bob of connection %s: %s %s", connection, a.Status, a.body)
		}
	}
	lines(`"change":"idle","subject":"bob"`)
	if a := h.do("POST", "/v1/token", `{"connection":"`+his+`"}`, token("bob", "cards/*")...); a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, "boards/7") {
		t.Errorf("a token that may not be present: %s %s", a.Status, a.body)
	}
	a := h.do("GET", "/v1/presence?topic=boards/7", "", alice...)
	if a.StatusCode != http.StatusOK || !strings.Contains(a.body, `"total":2`) || strings.Contains(a.body, "127.0.0.1") {
		t.Errorf("presence: %s %s", a.Status, a.body)
	}
	admin := h.do("GET", "/v1/admin/clients/"+mine, "", bearer(h.token(map[string]any{"admin": []string{"**"}}, nil))...)
	if !strings.Contains(admin.body, `"presence":["boards/7"]`) {
		t.Errorf("for administrators: %s", admin.body)
	}
}

// A beacon has no headers: it comes with the cookie, or with a ticket.
func TestBeacons(t *testing.T) {
	h := start(t, nil)
	token := h.token(map[string]any{"subscribe": []string{"cards/*"}}, nil)
	const nothing = `{"sent":1,"receipts":[]}`
	beacon := []string{"Content-Type", "text/plain;charset=UTF-8", "Origin", h.url}
	var issued struct{ Ticket string }
	h.do("POST", "/v1/tickets", "", bearer(token)...).decode(t, &issued)
	for name, one := range map[string]struct {
		query   string
		headers []string
		status  int
	}{
		"cookie":             {"", append([]string{"Cookie", "__Host-nave=" + token}, beacon...), http.StatusNoContent},
		"cookie, of nowhere": {"", []string{"Cookie", "__Host-nave=" + token}, http.StatusForbidden},
		"cookie, of a foreign page": {"", []string{"Cookie", "__Host-nave=" + token, "Origin", "https://evil.example"},
			http.StatusForbidden},
		"ticket, of a foreign page": {"?ticket=" + issued.Ticket, []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		"nothing":                   {"", beacon, http.StatusUnauthorized},
	} {
		if a := h.do("POST", "/v1/receipts"+one.query, nothing, one.headers...); a.StatusCode != one.status {
			t.Errorf("%s: %s %s", name, a.Status, a.body)
		}
	}
	for _, status := range []int{http.StatusNoContent, http.StatusUnauthorized} { // once
		if a := h.do("POST", "/v1/receipts?ticket="+issued.Ticket, nothing, beacon...); a.StatusCode != status {
			t.Errorf("with a ticket: %s %s, want %d", a.Status, a.body, status)
		}
	}
	var other struct{ Ticket string }
	h.do("POST", "/v1/tickets", "", bearer(token)...).decode(t, &other)
	if a := h.do("POST", "/v1/presence?ticket="+other.Ticket, `{"connection":"1","idle":true}`, beacon...); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("a ticket for something else: %s %s", a.Status, a.body)
	}
}
