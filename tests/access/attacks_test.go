package access

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/config"
)

// Whoever may read users/alice reads nothing else, however it is written.
func TestFilterTricks(t *testing.T) {
	h := start(t, nil)
	all := bearer(h.token(map[string]any{"publish": []string{"**"}}, nil))
	topics := []string{"users/alice", "users/alice/inbox", "users/bob", "users/bob/inbox", "Users/alice", "users", "users/alice2", "a", "users/./alice", "users/../users/bob"}
	for _, topic := range topics {
		event, _ := json.Marshal(map[string]any{"topic": topic, "type": "t", "key": "k", "data": "data of " + topic})
		h.do("POST", "/v1/events", string(event), all...).decode(t, &struct{}{})
	}
	alice := bearer(h.token(map[string]any{"subscribe": []string{"users/{sub}", "users/{sub}/*"}}, nil))
	for _, filter := range []string{
		"**", "*", "*/*", "*/**", "users/*", "users/**", "users", "users/bob", "users/bob/*", "users/alice/**", "users/alice/*/**", "*/alice", "*/alice/*",
		"users/alice/../bob", "users/./bob", "users//bob", "/users/alice", "users/alice/", "Users/Alice", "USERS/ALICE", "users%2Falice", "users/bob%2Finbox",
		"users/alice\x00", "users/\x00alice", "users/alic?", "users/{sub}", "$hub/**", "$hub/revocations", "$SYS/**", "users/alice#", "users/alice,users/bob", "users/alice users/bob", "users\\alice", "+/alice", "users/#",
		"users/ａlice", "users/alice\u2028", "", " ",
	} {
		for _, path := range []string{"/v1/events", "/v1/state"} {
			a := h.do("GET", path+"?topic="+url.QueryEscape(filter), "", append(alice, "Accept", "application/json")...)
			if a.StatusCode != http.StatusForbidden && a.StatusCode != http.StatusBadRequest || strings.Contains(a.body, "data of") {
				t.Errorf("%s?topic=%q: %s %s", path, filter, a.Status, a.body)
			}
		}
	}
	for query, want := range map[string]string{
		"topic=users/alice": "data of users/alice", "topic=users/alice/*": "data of users/alice/inbox", "topic=users/alice/inbox": "data of users/alice/inbox",
		"topic=users%2Falice": "data of users/alice", // as forms have it
	} {
		var state struct {
			Items []struct{ Topic, Data string }
		}
		h.do("GET", "/v1/state?"+query, "", alice...).decode(t, &state)
		if len(state.Items) != 1 || state.Items[0].Data != want {
			t.Errorf("%s: %+v, want %s", query, state, want)
		}
	}
}

// A claim that is put into a grant stays one segment of it.
func TestClaimsCannotWidenGrants(t *testing.T) {
	h := start(t, func(cfg *config.Config) { cfg.Auth.Grant.Subscribe = []string{"users/{sub}/**"} })
	for _, sub := range []string{"*", "**", "a/b", "../bob", "bob/", "/bob", "", "$hub", "{sub}", "a/**", "%2A", "b\nob", "\x00"} {
		token := bearer(h.token(nil, map[string]any{"nave": nil, "sub": sub}))
		for _, filter := range []string{"**", "users/**", "users/*", "users/bob", "users/bob/**", "users/a/b/c", "bob/x"} {
			if a := h.do("GET", "/v1/state?topic="+filter, "", token...); a.StatusCode != http.StatusForbidden && a.StatusCode != http.StatusUnauthorized {
				t.Errorf("sub %q reads %s: %s %s", sub, filter, a.Status, a.body)
			}
		}
	}
}

// One forbidden event keeps its whole batch from being stored; of lines, itself only.
func TestOneForbiddenEventStopsItsBatch(t *testing.T) {
	h := start(t, nil)
	token := bearer(h.token(map[string]any{"publish": []string{"a/*"}, "subscribe": []string{"a/*"}}, nil))
	before := h.stored()
	a := h.do("POST", "/v1/events", `[{"topic":"a/1","type":"t"},{"topic":"b/1","type":"t"},{"topic":"a/2","type":"t"}]`, token...)
	if a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, "event 1: ") || !strings.Contains(a.body, "b/1") || h.stored() != before {
		t.Errorf("%s %s", a.Status, a.body)
	}
	a = h.do("POST", "/v1/events", `{"topic":"a/1","type":"t"}`+"\n"+`{"topic":"b/1","type":"t"}`+"\n"+`{"topic":"a/2","type":"t"}`+"\n",
		append(token, "Content-Type", "application/x-ndjson")...)
	if lines := strings.Split(a.body, "\n"); len(lines) != 4 || !strings.Contains(lines[1], `"status":403`) || h.stored() != before+2 {
		t.Errorf("%s %s", a.Status, a.body)
	}
}

// Who may publish and not read learns nothing of what others have published: not by a
// condition that does not hold, nor by an id that was used before.
func TestPublishersDoNotRead(t *testing.T) {
	h := start(t, nil)
	all := bearer(h.token(map[string]any{"publish": []string{"**"}, "subscribe": []string{"**"}}, nil))
	writer := bearer(h.token(map[string]any{"publish": []string{"**"}}, nil))
	h.do("POST", "/v1/events", `{"topic":"a/1","type":"t","key":"k","id":"1","data":"`+secret+`"}`, all...).decode(t, &struct{}{})
	for name, body := range map[string]string{
		"a condition": `{"topic":"a/1","type":"t","key":"k","ifVersion":0,"data":1}`,
		"an id":       `{"topic":"a/1","type":"t","key":"k","id":"1","data":1}`,
	} {
		for _, kind := range []string{"application/json", "application/x-ndjson"} {
			a := h.do("POST", "/v1/events", body+"\n", append(writer, "Content-Type", kind)...)
			if strings.Contains(a.body, secret) || strings.Contains(a.body, `"event":`) {
				t.Errorf("%s as %s: %s %s", name, kind, a.Status, a.body)
			}
		}
	}
	a := h.do("POST", "/v1/events", `{"topic":"a/1","type":"t","key":"k","ifVersion":0,"data":1}`, all...)
	if a.StatusCode != http.StatusConflict || !strings.Contains(a.body, secret) {
		t.Errorf("who may read is not told what it was late for: %s %s", a.Status, a.body)
	}
}

// A grant with a source keeps its bearer from using up the ids of others.
func TestSourceOfAnother(t *testing.T) {
	h := start(t, nil)
	shop := bearer(h.token(map[string]any{"publish": []string{"**"}, "source": "{sub}"}, map[string]any{"sub": "shop"}))
	mallory := bearer(h.token(map[string]any{"publish": []string{"**"}, "source": "{sub}"}, map[string]any{"sub": "mallory"}))
	if a := h.do("POST", "/v1/events", `{"topic":"a","type":"t","id":"1","source":"shop"}`, mallory...); a.StatusCode != http.StatusForbidden {
		t.Errorf("mallory publishes as the shop: %s %s", a.Status, a.body)
	}
	for name, token := range map[string][]string{"mallory": mallory, "shop": shop} {
		if a := h.do("POST", "/v1/events", `{"topic":"a","type":"t","id":"1"}`, token...); a.StatusCode != http.StatusOK || a.Header.Get("Nave-Repeat") != "" {
			t.Errorf("%s: %s %v %s", name, a.Status, a.Header, a.body)
		}
	}
}

// A browser sends cookies by itself: what a foreign page makes it send does nothing.
func TestForeignPagesCannotUseTheCookie(t *testing.T) {
	const ours, evil = "https://app.example", "https://evil.example"
	h := start(t, func(cfg *config.Config) { cfg.CORS.Origins = []string{ours, "http://localhost:*"} })
	all := map[string]any{"publish": []string{"**"}, "subscribe": []string{"**"}, "admin": []string{"**"}}
	cookie := []string{"Cookie", "theme=dark; __Host-nave=" + h.token(all, nil)}
	event := `{"topic":"a","type":"t"}`
	for _, tt := range []struct {
		name, method, path string
		headers            []string
		status             int
	}{
		{"a form of a foreign page", "POST", "/v1/events", []string{"Origin", evil, "Content-Type", "text/plain"}, 403},
		{"without a word of where from", "POST", "/v1/events", nil, 403},
		{"a page without origin", "POST", "/v1/events", []string{"Origin", "null"}, 403},
		{"our page", "POST", "/v1/events", []string{"Origin", ours}, 200},
		{"the hub's page", "POST", "/v1/events", []string{"Origin", h.url}, 200},
		{"any page of the reader's own machine", "POST", "/v1/events", []string{"Origin", "http://localhost:3000"}, 403},
		{"nearly ours", "POST", "/v1/events", []string{"Origin", ours + ".evil.example"}, 403},
		{"a ticket for a foreign page", "POST", "/v1/tickets", []string{"Origin", evil}, 403},
		{"a revocation by a foreign page", "POST", "/v1/admin/revocations", []string{"Origin", evil}, 403},
		{"a disconnect by a foreign page", "DELETE", "/v1/admin/clients/1", []string{"Origin", evil}, 403},
		{"what our page reads", "GET", "/v1/state?topic=**", []string{"Origin", ours}, 200},
		{"what a foreign page reads", "GET", "/v1/state?topic=**", []string{"Origin", evil}, 403},
		{"what a foreign page embeds", "GET", "/v1/state?topic=**", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"two cookies", "GET", "/v1/state?topic=**", []string{"Cookie", "__Host-nave=x"}, 401},
		{"a header beside it that is wrong", "GET", "/v1/state?topic=**", bearer("x"), 401},
	} {
		a := h.do(tt.method, tt.path, event, append(cookie, tt.headers...)...)
		if a.StatusCode != tt.status {
			t.Errorf("%s: %s %s", tt.name, a.Status, a.body)
		}
		allowed := a.Header.Get("Access-Control-Allow-Credentials") == "true"
		if origin := a.Header.Get("Access-Control-Allow-Origin"); allowed && origin != ours || origin == evil || origin == "null" {
			t.Errorf("%s: %s may have credentials sent: %v", tt.name, origin, allowed)
		}
	}
}

// Pages of foreign sites change nothing, also where no token is asked for.
func TestForeignPagesDoNotAdminister(t *testing.T) {
	h := start(t, func(cfg *config.Config) { cfg.Auth.Key, cfg.Auth.Anonymous = "", config.Everything() })
	for _, call := range []call{
		{method: "POST", path: "/v1/admin/revocations", body: `{"jti":"7"}`}, {method: "DELETE", path: "/v1/admin/clients/1"},
		{method: "PUT", path: "/v1/admin/level", body: `{"level":"off"}`}, {method: "POST", path: "/v1/token", body: `{"connection":"1"}`},
		{method: "POST", path: "/v1/tickets"}, {method: "POST", path: "/v1/events", body: `{"topic":"a","type":"t"}`},
	} {
		a := h.do(call.method, call.path, call.body, "Origin", "https://evil.example", "Content-Type", "text/plain")
		if a.StatusCode != http.StatusForbidden {
			t.Errorf("%s %s: %s %s", call.method, call.path, a.Status, a.body)
		}
	}
}

// No credential that was shown is passed over, however it is written: who may read
// without one is refused with one that is not valid.
func TestNothingThatIsShownIsPassedOver(t *testing.T) {
	h := start(t, func(cfg *config.Config) { cfg.Auth.Anonymous.Subscribe = []string{"**"} })
	right := h.token(map[string]any{"subscribe": []string{"**"}}, nil)
	for name, tt := range map[string]struct {
		query   string
		headers []string
		status  int
	}{
		"nothing":                     {"", nil, 200},
		"an empty ticket":             {"&ticket=", nil, 401},
		"a ticket, escaped":           {"&%74icket=x", nil, 401},
		"a cookie that is no cookie":  {"", []string{"Cookie", `__Host-nave=a"b`}, 401},
		"an empty cookie":             {"", []string{"Cookie", "__Host-nave="}, 401},
		"one that is bad, one good":   {"", []string{"Cookie", `__Host-nave=a"b; __Host-nave=` + right}, 401},
		"a cookie after many":         {"", []string{"Cookie", strings.Repeat("a=b; ", 3001) + "__Host-nave=x"}, 401},
		"a cookie of another name":    {"", []string{"Cookie", "nave=x; __Host-nave2=x"}, 200},
		"an empty header":             {"", []string{"Authorization", ""}, 401},
		"a header of another scheme":  {"", []string{"Authorization", "Token " + right}, 401},
		"a good header, a bad cookie": {"", []string{"Authorization", "Bearer " + right, "Cookie", "__Host-nave=x"}, 200},
	} {
		if a := h.do("GET", "/v1/state?topic=a"+tt.query, "", tt.headers...); a.StatusCode != tt.status {
			t.Errorf("%s: %s %s", name, a.Status, a.body)
		}
	}
}

// A long-lived token in a URL would be in every log on the way.
func TestTokensDoNotStandInURLs(t *testing.T) {
	h := start(t, nil)
	token := h.token(map[string]any{"subscribe": []string{"**"}}, nil)
	for _, name := range []string{"token", "access_token", "authorization", "jwt", "ticket"} {
		a := h.do("GET", "/v1/events?topic=a&"+name+"="+token, "")
		if a.StatusCode != http.StatusUnauthorized && a.StatusCode != http.StatusBadRequest || strings.Contains(a.body, token) {
			t.Errorf("%s: %s %s", name, a.Status, a.body)
		}
	}
	if strings.Contains(h.log.String(), token) {
		t.Error("a token is in the log")
	}
}

// A page whose name points to this machine is no program of this machine.
func TestHostsThatAreNotTheHubs(t *testing.T) {
	h := start(t, func(cfg *config.Config) {
		cfg.Auth.Key, cfg.Auth.Anonymous, cfg.CORS.Hosts = "", config.Everything(), []string{"localhost", "127.0.0.1", "::1"}
	})
	for host, want := range map[string]int{
		"localhost:1": 200, "127.0.0.1": 200, "[::1]:80": 200, "LOCALHOST": 200, "evil.example": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example:80": 421, "": 421,
	} {
		r, _ := http.NewRequestWithContext(t.Context(), "POST", h.url+"/v1/events", strings.NewReader(`{"topic":"a","type":"t"}`))
		if r.Host = host; host == "" {
			r.Host = "x"
		}
		r.Header.Set("Origin", "http://"+host)
		resp, err := h.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want && !(want == 200 && resp.StatusCode == 403) { // another origin may still not publish
			t.Errorf("%s: %s, want %d", host, resp.Status, want)
		}
	}
}

// The keys of an issuer at a URL: they are changed, the issuer goes away and comes
// back, and no token of a key that is gone is accepted.
func TestIssuerRotatesItsKeys(t *testing.T) {
	var set atomic.Pointer[[]byte] // nil: it is away
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if keys := set.Load(); keys != nil {
			w.Header().Set("Content-Type", "application/jwk-set+json")
			_, _ = w.Write(*keys)
			return
		}
		http.Error(w, "down", http.StatusBadGateway)
	}))
	t.Cleanup(issuer.Close)
	publish := func(public ...[]byte) {
		text := keySet(t, public...)
		set.Store(&text)
	}
	first, firstPublic := newJWK(t, "first")
	second, secondPublic := newJWK(t, "second")
	h := start(t, func(cfg *config.Config) {
		cfg.Client.Heartbeat = config.Duration(time.Second)
		cfg.Auth.Issuers = config.Issuers{{Issuer: "https://login.example", URL: issuer.URL, Audience: []string{"nave"}}}
	})
	iss := map[string]any{"iss": "https://login.example"}
	get := func(key []byte) int {
		return h.do("GET", "/v1/state?topic=a", "", bearer(signed(t, key, map[string]any{"subscribe": []string{"a"}}, iss))...).StatusCode
	}
	eventually := func(what string, key []byte, want int) {
		t.Helper()
		for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
			got := get(key)
			if got == want {
				return
			}
			if time.Since(begun) > 20*time.Second {
				t.Fatalf("%s: %d, want %d", what, got, want)
			}
		}
	}
	ready := func(want int) {
		t.Helper()
		if a := h.do("GET", "/readyz", ""); a.StatusCode != want || want != 200 && !strings.Contains(a.body, "https://login.example") {
			t.Errorf("readiness: %s %s", a.Status, a.body)
		}
	}
	if got := get(first); got != http.StatusServiceUnavailable {
		t.Errorf("a token whose issuer has never answered: %d", got)
	}
	ready(503)
	publish(firstPublic)
	eventually("its first key", first, 200)
	ready(200)
	living := h.subscribe("topic=a", bearer(signed(t, first, map[string]any{"subscribe": []string{"a"}}, iss))...)
	if got := get(h.key); got != http.StatusUnauthorized {
		t.Errorf("a token of this issuer by the key of others: %d", got)
	}
	set.Store(nil)
	if got := get(first); got != 200 {
		t.Errorf("its key, while it is away: %d", got)
	}
	publish(secondPublic)
	eventually("its second key", second, 200) // which is unknown, and so asked for
	eventually("its first key, which is gone", first, 401)
	living.ends("revoked")
}

// keySet is a JWK set.
func keySet(t *testing.T, public ...[]byte) []byte {
	t.Helper()
	var keys jose.JSONWebKeySet
	for _, one := range public {
		var key jose.JSONWebKey
		if err := json.Unmarshal(one, &key); err != nil {
			t.Fatal(err)
		}
		keys.Keys = append(keys.Keys, key)
	}
	text, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// newJWK makes a key as a file for signing, and its public part as a JWK.
func newJWK(t *testing.T, id string) (file, public []byte) {
	t.Helper()
	pem, _, err := auth.NewKey("ES256")
	if err != nil {
		t.Fatal(err)
	}
	private := privateKey(t, pem)
	key := jose.JSONWebKey{Key: private, KeyID: id, Algorithm: "ES256", Use: "sig"}
	file, _ = json.Marshal(key)
	public, _ = json.Marshal(key.Public())
	return file, public
}

// Limits say of whom there is too much.
func TestLimitsOfSubjects(t *testing.T) {
	h := start(t, func(cfg *config.Config) {
		cfg.Limits.ConnectionsPerSubject, cfg.Limits.PublishRatePerSubject, cfg.Limits.PublishRate = 2, 5, 8
	})
	token := bearer(h.token(map[string]any{"subscribe": []string{"**"}, "publish": []string{"**"}}, nil))
	other := bearer(h.token(map[string]any{"subscribe": []string{"**"}, "publish": []string{"**"}}, map[string]any{"sub": "bob"}))
	h.subscribe("topic=a", token...)
	h.subscribe("topic=a", token...)
	a := h.do("GET", "/v1/events?topic=a", "", append(token, "Accept", "text/event-stream")...)
	if a.StatusCode != http.StatusTooManyRequests || !strings.Contains(a.body, "alice has 2") || a.Header.Get("Retry-After") == "" {
		t.Errorf("a third stream: %s %s", a.Status, a.body)
	}
	h.subscribe("topic=a", other...)
	batch := "[" + strings.Repeat(`{"topic":"a","type":"t"},`, 4) + `{"topic":"a","type":"t"}]`
	h.do("POST", "/v1/events", batch, token...).decode(t, &struct{}{})
	a = h.do("POST", "/v1/events", batch, token...)
	if a.StatusCode != http.StatusTooManyRequests || !strings.Contains(a.body, "alice publishes more than 5") || a.Header.Get("Retry-After") == "" {
		t.Errorf("more than alice may: %s %s", a.Status, a.body)
	}
	a = h.do("POST", "/v1/events", batch, other...)
	if a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "in all") {
		t.Errorf("more than all may: %s %s", a.Status, a.body)
	}
}

// A hub does not start with a key that protects nothing, and says why.
func TestWeakKeys(t *testing.T) {
	for text, want := range map[string]string{"short": "32", "": "empty", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----": "PUBLIC KEY cannot be read"} {
		cfg := config.Default()
		cfg.Auth.Key = filepath.Join(t.TempDir(), "key")
		_ = os.WriteFile(cfg.Auth.Key, []byte(text), 0o600)
		_, err := auth.NewVerifier(auth.VerifierConfig{Sources: []auth.Source{{File: cfg.Auth.Key}}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", text, err, want)
		}
	}
}
