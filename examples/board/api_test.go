package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/navehub/nave/examples/board/store"
)

func TestSignIn(t *testing.T) {
	url := begin(t)
	v := visitor(t, url)
	nobody := func(v *person, headers ...string) {
		t.Helper()
		if text := v.must(t, http.StatusOK, "GET", "/api/me", nil, nil, headers...); text != "null" {
			t.Errorf("nobody is %s", text)
		}
	}
	nobody(v)
	v.must(t, http.StatusUnauthorized, "POST", "/api/cards", store.NewCard{ID: "x", Column: "todo", Title: "X"}, nil)
	v.must(t, http.StatusUnauthorized, "GET", "/api/token", nil, nil)
	var users []store.User
	v.must(t, http.StatusOK, "GET", "/api/users", nil, &users)
	if len(users) != 5 || users[0].ID != "ada" || users[4].ID != "eva" {
		t.Errorf("the users are %v", users)
	}
	v.must(t, http.StatusUnprocessableEntity, "POST", "/api/sign-in", map[string]string{"user": "mallory"}, nil)
	var me store.User
	v.must(t, http.StatusOK, "POST", "/api/sign-in", map[string]string{"user": "ben"}, &me)
	if me.ID != "ben" {
		t.Errorf("signed in as %v", me)
	}
	v.must(t, http.StatusOK, "GET", "/api/me", nil, &me)

	c, err := http.ParseSetCookie(v.header(t, "POST", "/api/sign-in", `{"user":"ben"}`).Get("Set-Cookie"))
	if err != nil || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != int(store.SessionLife.Seconds()) {
		t.Errorf("the cookie is %v: %v", c, err)
	}

	stolen := v.http.Jar.Cookies(mustParse(t, url))[0].String()
	v.must(t, http.StatusNoContent, "POST", "/api/sign-out", nil, nil)
	nobody(v)
	nobody(visitor(t, url), "Cookie", stolen)
	v.must(t, http.StatusUnauthorized, "GET", "/api/token", nil, nil, "Cookie", stolen)
}

// Who has not built the page is told how.
func TestNoPage(t *testing.T) {
	w := httptest.NewRecorder()
	page(t.TempDir()).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if text := w.Body.String(); w.Code != http.StatusNotFound || !strings.Contains(text, "make board") {
		t.Errorf("without a page it says %d %s", w.Code, text)
	}
}

// What a page that still shows Ada does is not done in the name of Ben, who has signed
// in since in the same browser.
func TestWhosePage(t *testing.T) {
	p := signedIn(t, begin(t), "ben")
	status := map[string]string{"status": "here"}
	p.must(t, http.StatusUnauthorized, "PATCH", "/api/users/me", status, nil, userHeader, "ada")
	p.must(t, http.StatusUnauthorized, "GET", "/api/token", nil, nil, userHeader, "ada")
	p.must(t, http.StatusOK, "PATCH", "/api/users/me", status, nil, userHeader, "ben")
	var users []store.User
	p.must(t, http.StatusOK, "GET", "/api/users", nil, &users)
	if users[0].Status != "" || users[1].Status != "here" {
		t.Errorf("the users are %v", users)
	}
}

// Another origin's page cannot act with the cookie, nor a form.
func TestOrigins(t *testing.T) {
	p := signedIn(t, begin(t), "ada")
	p.must(t, http.StatusForbidden, "PATCH", "/api/users/me", map[string]string{"status": "owned"}, nil, "Sec-Fetch-Site", "cross-site")
	p.must(t, http.StatusForbidden, "PATCH", "/api/users/me", map[string]string{"status": "owned"}, nil, "Origin", "http://evil.example")
	p.must(t, http.StatusUnsupportedMediaType, "PATCH", "/api/users/me", map[string]string{"status": "owned"}, nil, "Content-Type", "text/plain")
}

// A create that is sent again makes nothing twice, and undoes no delete; one that only
// has the same id is refused.
func TestCreateOnce(t *testing.T) {
	url := begin(t)
	p, ben := signedIn(t, url, "ada"), signedIn(t, url, "ben")
	n := store.NewCard{ID: "mine", Column: "doing", Title: "Mine", Text: "once"}
	var first, second store.Card
	p.must(t, http.StatusCreated, "POST", "/api/cards", n, &first)
	p.must(t, http.StatusOK, "POST", "/api/cards", n, &second)
	if first != second || first.Rev != 1 || first.UpdatedBy != "ada" {
		t.Errorf("made %v, then %v", first, second)
	}
	ben.must(t, http.StatusOK, "PATCH", "/api/cards/mine", map[string]any{"rev": 1, "changes": map[string]string{"title": "Ben's"}}, nil)
	p.must(t, http.StatusOK, "POST", "/api/cards", n, &second)
	if second.Title != "Ben's" || second.Rev != 2 {
		t.Errorf("sent again when it has been changed, it answers %v", second)
	}
	ben.must(t, http.StatusUnprocessableEntity, "POST", "/api/cards", n, nil)
	n.Title = "Ben's"
	p.must(t, http.StatusUnprocessableEntity, "POST", "/api/cards", n, nil)
	p.must(t, http.StatusConflict, "DELETE", "/api/cards/mine?rev=7", nil, nil)
	p.must(t, http.StatusUnprocessableEntity, "DELETE", "/api/cards/mine", nil, nil)
	p.must(t, http.StatusNoContent, "DELETE", "/api/cards/mine?rev=2", nil, nil)
	p.must(t, http.StatusNoContent, "DELETE", "/api/cards/mine?rev=2", nil, nil)
	p.must(t, http.StatusGone, "POST", "/api/cards", n, nil)
	p.must(t, http.StatusGone, "PATCH", "/api/cards/mine", map[string]any{"rev": 1, "changes": map[string]string{"title": "T"}}, nil)
	p.must(t, http.StatusNotFound, "DELETE", "/api/cards/never?rev=1", nil, nil)

	m := store.NewMessage{ID: "m1", Text: "Hi"}
	p.must(t, http.StatusCreated, "POST", "/api/conversations/general/messages", m, nil)
	p.must(t, http.StatusOK, "POST", "/api/conversations/general/messages", m, nil)
	p.must(t, http.StatusUnprocessableEntity, "POST", "/api/conversations/design/messages", m, nil)
	ben.must(t, http.StatusUnprocessableEntity, "POST", "/api/conversations/general/messages", m, nil)
	m.Text = "Ho"
	p.must(t, http.StatusUnprocessableEntity, "POST", "/api/conversations/general/messages", m, nil)
	p.must(t, http.StatusNotFound, "POST", "/api/conversations/none/messages", store.NewMessage{ID: "m2", Text: "Hi"}, nil)
	j, _ := verify(t, p, "end")
	if j.revs["cards/main mine"] != 2 || !j.deleted["mine"] || len(j.messages) != 3+1+1 {
		t.Errorf("the log has rev %d, deleted %v, and %d messages", j.revs["cards/main mine"], j.deleted, len(j.messages))
	}
}

// An edit that is sent again, since its answer was lost, does not undo what others have
// undone since; one that was refused may be sent again.
func TestEditOnce(t *testing.T) {
	url := begin(t)
	ada, ben := signedIn(t, url, "ada"), signedIn(t, url, "ben")
	edit := func(p *person, status int, id string, rev int64, assignee any) (c store.Card) {
		t.Helper()
		body := map[string]any{"id": id, "rev": rev, "changes": map[string]any{"assignee": assignee}}
		if text := p.must(t, status, "PATCH", "/api/cards/card-1", body, nil); status == http.StatusOK {
			if err := json.Unmarshal([]byte(text), &c); err != nil {
				t.Fatal(err)
			}
		}
		return c
	}
	edit(ada, http.StatusOK, "a", 1, "eva")
	edit(ben, http.StatusOK, "b", 2, "dan")
	for _, rev := range []int64{1, 3} {
		if c := edit(ada, http.StatusOK, "a", rev, "eva"); c.Rev != 3 || *c.Assignee != "dan" {
			t.Errorf("sent again it made %v", c)
		}
	}
	edit(ada, http.StatusConflict, "c", 1, "eva")
	if c := edit(ada, http.StatusOK, "c", 3, "eva"); c.Rev != 4 || *c.Assignee != "eva" {
		t.Errorf("after a conflict it made %v", c)
	}
	edit(ada, http.StatusUnprocessableEntity, "no id", 4, "ben")
}

// First writer wins, the other is told what there is now; who asks for what is
// there already has it.
func TestConflict(t *testing.T) {
	url := begin(t)
	ada, ben := signedIn(t, url, "ada"), signedIn(t, url, "ben")
	change := func(rev int64, changes map[string]any) map[string]any {
		return map[string]any{"rev": rev, "changes": changes}
	}
	var won store.Card
	ada.must(t, http.StatusOK, "PATCH", "/api/cards/card-1", change(1, map[string]any{"title": "Ada's", "assignee": "eva"}), &won)
	if won.Rev != 2 || *won.Assignee != "eva" {
		t.Errorf("it became %v", won)
	}
	text := ben.must(t, http.StatusConflict, "PATCH", "/api/cards/card-1", change(1, map[string]any{"title": "Ben's"}), nil)
	for _, want := range []string{`"status":409`, `"current":{"id":"card-1","title":"Ada's"`, `"rev":2`, `"detail":"card-1 has rev 2: ada has changed it since"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the refusal has no %s: %s", want, text)
		}
	}
	var same store.Card
	ada.must(t, http.StatusOK, "PATCH", "/api/cards/card-1", change(1, map[string]any{"title": "Ada's"}), &same)
	if same.Rev != 2 {
		t.Errorf("sent again it became rev %d", same.Rev)
	}
	ben.must(t, http.StatusOK, "PATCH", "/api/cards/card-1", change(2, map[string]any{"assignee": nil}), &same)
	if same.Assignee != nil || same.Title != "Ada's" {
		t.Errorf("without assignee it is %v", same)
	}
	verify(t, ada, "end")
}

// A move is one batch: the card, and the columns that it leaves and comes to.
func TestMove(t *testing.T) {
	p := signedIn(t, begin(t), "ada")
	var moved struct {
		Card    store.Card
		Columns []store.Column
	}
	move := func(want int, card string, m store.Move, columns ...string) {
		t.Helper()
		moved.Columns = nil
		p.must(t, want, "POST", "/api/cards/"+card+"/move", m, &moved)
		if want != http.StatusOK {
			return
		}
		var got []string
		for _, c := range moved.Columns {
			got = append(got, c.ID+fmt.Sprint(c.Cards))
		}
		if strings.Join(got, "; ") != strings.Join(columns, "; ") {
			t.Errorf("changed are %q, want %q", got, columns)
		}
	}
	to := func(id string) *string { return &id }
	move(http.StatusOK, "card-1", store.Move{To: "done", Before: to("card-8")}, "todo[card-2 card-3]", "done[card-7 card-1 card-8]")
	move(http.StatusOK, "card-1", store.Move{To: "done", Before: to("card-8")}) // sent again
	move(http.StatusOK, "card-8", store.Move{To: "done", Before: to("card-7")}, "done[card-8 card-7 card-1]")
	move(http.StatusOK, "card-8", store.Move{To: "done"}, "done[card-7 card-1 card-8]")
	move(http.StatusOK, "card-2", store.Move{To: "done", Before: to("card-3")}, "todo[card-3]", "done[card-7 card-1 card-8 card-2]")
	move(http.StatusUnprocessableEntity, "card-2", store.Move{To: "nowhere"})
	move(http.StatusUnprocessableEntity, "card-2", store.Move{To: "done", Before: to("card-2")})
	move(http.StatusNotFound, "card-x", store.Move{To: "done"})

	move(http.StatusOK, "card-4", store.Move{ID: "once", To: "todo"}, "doing[card-5]", "todo[card-3 card-4]")
	move(http.StatusOK, "card-4", store.Move{To: "review"}, "todo[card-3]", "review[card-6 card-4]")
	move(http.StatusOK, "card-4", store.Move{ID: "once", To: "todo"}) // sent again, it undoes nothing
	if moved.Card.Column != "review" {
		t.Errorf("then it is in %s", moved.Card.Column)
	}
	move(http.StatusUnprocessableEntity, "card-4", store.Move{ID: "a b", To: "todo"})
	verify(t, p, "end") // whose judge sees each batch
}

func TestBadInput(t *testing.T) {
	p := signedIn(t, begin(t), "ada")
	for body, want := range map[string]string{
		`{"id":"a b","column":"todo","title":"T"}`:                              "id: ",
		`{"id":"a","column":"nowhere","title":"T"}`:                             "column: ",
		`{"id":"a","column":"todo","title":""}`:                                 "title: ",
		`{"id":"a","column":"todo","title":"  \u00a0\n"}`:                       "title: ",
		`{"id":"a","column":"todo","title":"` + strings.Repeat("x", 201) + `"}`: "title: ",
		`{"id":"a","column":"todo","title":"T","colour":"red"}`:                 "colour",
		`{"id":"a"`: "body",
		`{"id":"a","column":"todo","title":"T"} x`:                                 "follows",
		`{"id":"a","column":"todo","title":"` + strings.Repeat("x", 100_000) + `"`: "bytes",
	} {
		status, text := p.ask("POST", "/api/cards", rawJSON(body), nil)
		if status < 400 || status > 422 || !strings.Contains(text, want) || !strings.Contains(text, `"type":"/problems/`) {
			t.Errorf("%.60s: status %d, %s", body, status, text)
		}
	}
	p.must(t, http.StatusUnprocessableEntity, "PATCH", "/api/cards/card-1", rawJSON(`{"rev":1,"changes":{"assignee":"mallory"}}`), nil)
	p.must(t, http.StatusUnprocessableEntity, "PATCH", "/api/users/me", map[string]string{"status": strings.Repeat("x", 101)}, nil)
	p.must(t, http.StatusNotFound, "GET", "/api/nothing", nil, nil)
}

// What has not changed is not sent again; what has, is.
func TestNotModified(t *testing.T) {
	p := signedIn(t, begin(t), "ada")
	for path, change := range map[string]func(){
		"/api/boards/main": func() {
			p.must(t, http.StatusOK, "POST", "/api/cards/card-1/move", store.Move{To: "done"}, nil)
		},
		"/api/users": func() {
			p.must(t, http.StatusOK, "PATCH", "/api/users/me", map[string]string{"status": "busy"}, nil)
		},
		"/api/conversations": func() {
			p.must(t, http.StatusCreated, "POST", "/api/conversations/design/messages", store.NewMessage{ID: "a", Text: "A"}, nil)
		},
		"/api/conversations/general/messages": func() {
			p.must(t, http.StatusCreated, "POST", "/api/conversations/general/messages", store.NewMessage{ID: "b", Text: "B"}, nil)
		},
	} {
		header := p.header(t, "GET", path, "")
		if header.Get("Vary") != "Cookie" || header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s may be kept as %v", path, header)
		}
		tag := header.Get("ETag")
		p.must(t, http.StatusNotModified, "GET", path, nil, nil, "If-None-Match", tag)
		p.must(t, http.StatusNotModified, "GET", path, nil, nil, "If-None-Match", `"other", W/`+tag)
		change()
		p.must(t, http.StatusOK, "GET", path, nil, nil, "If-None-Match", tag)
	}
}

func TestPage(t *testing.T) {
	v := visitor(t, begin(t))
	if text := v.must(t, http.StatusOK, "GET", "/", nil, nil); text != "<title>Board</title>" {
		t.Errorf("the page is %s", text)
	}
	header := v.header(t, "GET", "/", "")
	for name, want := range map[string]string{
		"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	v.must(t, http.StatusOK, "GET", "/dashboard", nil, nil)
	v.must(t, http.StatusOK, "GET", "/v1/admin/health", nil, nil)
	v.must(t, http.StatusUnauthorized, "PUT", "/v1/admin/level", map[string]string{"level": "polling"}, nil)
}
