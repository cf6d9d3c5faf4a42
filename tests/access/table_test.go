package access

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave/auth"
)

// secret is in an event that nobody may see who may not read secret/board.
const secret = "the-secret-of-the-board"

// A grant is what a call takes; public calls take none.
type grant string

const (
	public    grant = ""
	publish   grant = "publish"
	subscribe grant = "subscribe"
	admin     grant = "admin"
	anyToken  grant = "any"
)

// A call is one that the hub answers.
type call struct {
	method, path, accept, body string
	takes                      grant
	status                     int // for who may
}

const topic = "secret/board"

func (h *hub) calls() []call {
	const sse, lines, page = "text/event-stream", "application/x-ndjson", "application/json"
	event := `{"topic":"secret/board","type":"t","data":1}`
	since := "&cursor=" + h.cursorBefore()
	return []call{
		{"GET", "/", "", "", public, 200},
		{"GET", "/livez", "", "", public, 200},
		{"GET", "/readyz", "", "", public, 200},
		{"GET", "/dashboard", "", "", public, 200},
		{"GET", "/dashboard/main.js", "", "", public, 200},
		{"POST", "/v1/events", page, event, publish, 200},
		{"POST", "/v1/events", page, `[{"topic":"open/board","type":"t","data":1},` + event + `]`, publish, 200},
		{"POST", "/v1/events", lines, event + "\n", publish, 200},
		{"GET", "/v1/events?topic=secret/board", sse, "", subscribe, 200},
		{"GET", "/v1/events?topic=secret/*", sse, "", subscribe, 200},
		{"GET", "/v1/events?topic=secret/**", sse, "", subscribe, 200},
		{"GET", "/v1/events?topic=secret%2Fboard", sse, "", subscribe, 200},
		{"GET", "/v1/events?topic=open/board&topic=secret/board", sse, "", subscribe, 200},
		{"GET", "/v1/events?topic=secret/board&snapshot=true", sse, "", subscribe, 200},
		{"GET", "/v1/events?topic=secret/board" + since, sse, "", subscribe, 200},
		{"GET", "/v1/events?topic=secret/board" + since, lines, "", subscribe, 200},
		{"GET", "/v1/events?topic=secret/board" + since, page, "", subscribe, 200},
		{"GET", "/v1/events?topic=secret/board&snapshot=true", page, "", subscribe, 200},
		{"GET", "/v1/events?topic=secret/board&wait=25s" + since, page, "", subscribe, 200},
		{"HEAD", "/v1/events?topic=secret/board", page, "", subscribe, 200},
		{"GET", "/v1/state?topic=secret/**", page, "", subscribe, 200},
		{"GET", "/v1/events?topic=secret/board&presence=secret/board", sse, "", subscribe, 200},
		{"GET", "/v1/events?topic=open/board&presence=secret/board", sse, "", subscribe, 200},
		{"GET", "/v1/events?topic=open/board&presence=secret/board", page, "", subscribe, 200},
		{"GET", "/v1/events?topic=secret/board&presence=secret/board" + since, page, "", subscribe, 200},
		{"GET", "/v1/presence?topic=secret/board", page, "", subscribe, 200},
		{"GET", "/v1/presence?topic=open/board&topic=secret/board", page, "", subscribe, 200},
		{"POST", "/v1/presence", page, `{"connection":"999999","idle":true}`, anyToken, 404},
		{"POST", "/v1/receipts", page, `{"connection":"999999","sent":1,"receipts":[{"offset":1,"received":1}]}`, anyToken, 204},
		{"POST", "/v1/receipts", "text/plain", `{"sent":1,"receipts":[]}`, anyToken, 204},
		{"POST", "/v1/tickets", page, "", anyToken, 201},
		{"POST", "/v1/token", page, `{"connection":"999999"}`, anyToken, 404},
		{"GET", "/v1/admin/breakers", page, "", admin, 200},
		{"GET", "/v1/admin/breakers/log", page, "", admin, 200},
		{"DELETE", "/v1/admin/breakers/log", page, "", admin, 204},
		{"DELETE", "/v1/admin/breakers/nobody's", page, "", admin, 404},
		{"GET", "/v1/admin/clients", page, "", admin, 200},
		{"GET", "/v1/admin/clients/999999", page, "", admin, 404},
		{"DELETE", "/v1/admin/clients/999999", page, "", admin, 404},
		{"GET", "/v1/admin/clients?order=lag&search=alice&limit=10", page, "", admin, 200},
		{"GET", "/v1/admin/health", page, "", admin, 200},
		{"GET", "/v1/events?topic=$hub/health", sse, "", admin, 200},
		{"GET", "/v1/events?topic=$hub/health", lines, "", admin, 200},
		{"GET", "/v1/events?topic=$hub/health", page, "", admin, 200},
		{"GET", "/v1/admin/level", page, "", admin, 200},
		{"PUT", "/v1/admin/level", page, `{"level":"none"}`, admin, 400},
		{"DELETE", "/v1/admin/level", page, "", admin, 200},
		{"GET", "/v1/admin/keys", page, "", admin, 200},
		{"GET", "/v1/admin/topics", page, "", admin, 200},
		{"GET", "/v1/admin/revocations", page, "", admin, 200},
		{"POST", "/v1/admin/revocations", page, `{"jti":"nobody's"}`, admin, 201},
		{"DELETE", "/v1/admin/revocations/jti-0", page, "", admin, 404},
		{"GET", "/metrics", "", "", admin, 200},
	}
}

// cursorBefore is the cursor of before the secret was published.
func (h *hub) cursorBefore() string {
	h.Helper()
	all := map[string]any{"publish": []string{"**"}, "subscribe": []string{"**"}}
	token := bearer(h.token(all, nil))
	var page struct{ Cursor string }
	h.do("GET", "/v1/events?topic="+topic, "", append(token, "Accept", "application/json")...).decode(h.T, &page)
	event, _ := json.Marshal(map[string]any{"topic": topic, "type": "t", "key": "k", "data": secret})
	h.do("POST", "/v1/events", string(event), token...).decode(h.T, &struct{}{})
	return page.Cursor
}

// A caller shows something, and may do what its grants say.
type caller struct {
	name    string
	headers []string
	may     []grant
	known   bool // it has shown a valid token
}

func (h *hub) callers() []caller {
	h.Helper()
	all := map[string]any{"publish": []string{"**"}, "subscribe": []string{"**"}, "admin": []string{"**"}}
	other := map[string]any{"publish": []string{"open/**"}, "subscribe": []string{"open/**", "secret/boar", "secret/board/**", "*/other"}, "admin": []string{"other/**"}}
	otherKey, _, _ := auth.NewKey("HS256")
	asymmetric, _, _ := auth.NewKey("ES256")
	right := h.token(all, nil)
	revoked := map[string]any{"jti": "revoked"}
	h.do("POST", "/v1/admin/revocations", `{"jti":"revoked"}`, bearer(right)...).decode(h.T, &struct{}{})
	with := func(others map[string]any) []string { return bearer(h.token(all, others)) }
	return []caller{
		{name: "none"},
		{name: "an empty token", headers: bearer("")},
		{name: "nonsense", headers: bearer("a.b.c")},
		{name: "another scheme", headers: []string{"Authorization", "Basic YWxpY2U6c2VjcmV0"}},
		{name: "two headers", headers: append(bearer(right), bearer(right)...)},
		{name: "expired", headers: with(map[string]any{"exp": time.Now().Add(-time.Minute).Unix()})},
		{name: "not yet valid", headers: with(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()})},
		{name: "without end", headers: with(map[string]any{"exp": nil})},
		{name: "valid for too long", headers: with(map[string]any{"exp": time.Now().AddDate(5, 0, 0).Unix()})},
		{name: "wrong key", headers: bearer(signed(h.T, otherKey, all, nil))},
		{name: "wrong kind of key", headers: bearer(signed(h.T, asymmetric, all, nil))},
		{name: "wrong audience", headers: with(map[string]any{"aud": "others"})},
		{name: "no audience", headers: with(map[string]any{"aud": nil})},
		{name: "changed", headers: bearer(right[:len(right)-2] + "xx")},
		{name: "cut", headers: bearer(right[:strings.LastIndexByte(right, '.')])},
		{name: "revoked", headers: with(revoked)},
		{name: "in the URL's place of a ticket", headers: []string{"X-Ticket", right}},
		{name: "in the cookie of a foreign page", headers: []string{"Cookie", "__Host-nave=" + right, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}},
		{name: "other topics", headers: bearer(h.token(other, nil)), known: true},
		{name: "no grants", headers: bearer(h.token(map[string]any{}, nil)), known: true},
		{name: "no claim of grants", headers: bearer(h.token(nil, map[string]any{"nave": nil})), known: true},
		{name: "publisher", headers: bearer(h.token(map[string]any{"publish": []string{"open/board", "secret/board"}}, nil)), may: []grant{publish}, known: true},
		{name: "reader", headers: bearer(h.token(map[string]any{"subscribe": []string{"open/board", "secret/**"}}, nil)), may: []grant{subscribe}, known: true},
		{name: "administrator", headers: bearer(h.token(map[string]any{"admin": []string{"**"}}, nil)), may: []grant{admin}, known: true},
		{name: "right", headers: bearer(right), may: []grant{publish, subscribe, admin}, known: true},
		{name: "right, in the cookie of an own page", headers: []string{"Cookie", "__Host-nave=" + right, "Origin", h.url}, may: []grant{publish, subscribe, admin}, known: true},
	}
}

// wants is the status that a caller is answered with.
func (c caller) wants(to call) int {
	if to.takes == public || to.takes == anyToken && c.known {
		return to.status
	}
	for _, g := range c.may {
		if g == to.takes {
			return to.status
		}
	}
	if c.known || strings.HasPrefix(c.name, "in the cookie of a foreign") {
		return http.StatusForbidden
	}
	return http.StatusUnauthorized
}

// Every call, by every kind of caller, over every transport. Who may not is told so,
// in words, and sees and changes nothing.
func TestEveryCallByEveryCaller(t *testing.T) {
	transports(t, func(t *testing.T, h *hub) {
		calls, callers := h.calls(), h.callers()
		for _, by := range callers {
			for _, to := range calls {
				before := h.stored()
				headers := append([]string{"Accept", to.accept}, by.headers...)
				if to.method == "POST" {
					headers = append(headers, "Content-Type", to.accept)
				}
				a := h.do(to.method, to.path, to.body, headers...)
				h.judge(by, to, a)
				if after := h.stored(); by.wants(to) != to.status && after != before {
					t.Errorf("%s: %s %s: %d events were stored", by.name, to.method, to.path, after-before)
				}
			}
		}
		checkLog(t, h, callers)
	})
}

func (h *hub) judge(by caller, to call, a answer) {
	h.Helper()
	want := by.wants(to)
	got := a.StatusCode
	if to.accept == "application/x-ndjson" && to.method == "POST" && got == http.StatusOK { // each line has its own
		var line struct{ Status int }
		_ = json.Unmarshal([]byte(a.body), &line)
		if line.Status != 0 {
			got = line.Status
		}
	}
	where := by.name + ": " + to.method + " " + to.path + " (" + to.accept + ")"
	if got != want {
		h.Errorf("%s: %d, want %d: %.300s", where, got, want, a.body)
	}
	if by.wants(to) != to.status && strings.Contains(a.body, secret) {
		h.Errorf("%s sees the secret: %s", where, a.body)
	}
	reads := to.takes == subscribe && to.method == "GET" && (strings.Contains(to.path, "cursor") || strings.Contains(to.path, "snapshot") || strings.Contains(to.path, "state"))
	if want == http.StatusOK && reads && !strings.Contains(a.body, secret) {
		h.Errorf("%s does not see what it may: %.300s", where, a.body)
	}
	if got == http.StatusUnauthorized && a.StatusCode == got && !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
		h.Errorf("%s: a refusal that does not ask for a token: %v", where, a.Header)
	}
	if a.StatusCode/100 == 4 && to.method != "HEAD" && (a.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(a.body, `"detail":"`)) {
		h.Errorf("%s: a refusal without words: %s", where, a.body)
	}
}

// stored is the offset of the last event.
func (h *hub) stored() int64 {
	h.Helper()
	var page struct{ Cursor string }
	h.do("GET", "/v1/events?topic=x", "", append(bearer(h.token(map[string]any{"subscribe": []string{"x"}}, nil)), "Accept", "application/json")...).decode(h.T, &page)
	var n int64
	for _, digit := range page.Cursor[strings.LastIndexByte(page.Cursor, '-')+1:] {
		n = 10*n + int64(digit-'0')
	}
	return n
}

// checkLog wants nothing in the log that somebody could use.
func checkLog(t *testing.T, h *hub, callers []caller) {
	t.Helper()
	log := h.log.String()
	if !strings.Contains(log, "logger=audit") {
		t.Error("refusals are not in the audit log")
	}
	for _, by := range callers {
		for _, header := range by.headers {
			for part := range strings.FieldsFuncSeq(header, func(r rune) bool { return r == ' ' || r == '=' }) {
				if token := strings.Count(part, ".") == 2 && len(part) > 40; token && strings.Contains(log, part) {
					t.Errorf("%s: the token is in the log", by.name)
				}
			}
		}
	}
	if strings.Contains(log, string(h.key)) {
		t.Error("the key is in the log")
	}
}
