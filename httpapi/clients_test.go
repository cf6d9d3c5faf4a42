package httpapi

import (
	"fmt"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/registry"
)

// crowd puts so many clients into the registry, of which every tenth lags.
func crowd(t *testing.T, s *server, n int) {
	t.Helper()
	r := s.hub.Registry()
	for i := range n {
		c := registry.Client{
			ID: fmt.Sprint(i + 1), Filters: nave.Filters{nave.Filter(fmt.Sprintf("boards/%d/**", i))}, Transport: "sse/http1", UserAgent: "Board/2.4",
			Who: &auth.Identity{Subject: fmt.Sprintf("user-%d", i%100)}, Connected: time.Now(), State: registry.Live,
		}
		if i%10 == 0 {
			c.Lag = registry.Lag(1 + i/10%4)
		}
		r.PutClient(c)
	}
	for deadline := time.Now().Add(patience); r.Snapshot().Count().Clients < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the registry does not write")
		}
	}
}

type clientsPage struct {
	Clients  []struct{ ID, Subject, Lag string }
	Next     string
	Matching int
}

func TestClientsByLag(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	crowd(t, s, 1234)
	seen, before := make(map[string]bool), ">=1m"
	rank := map[string]int{"none": 0, "<1s": 1, "<10s": 2, "<1m": 3, ">=1m": 4}
	for after := ""; ; {
		var page clientsPage
		s.do("GET", "/v1/admin/clients?order=lag&limit=100&after="+after, "").ok().decode(&page)
		if page.Matching != 1234 {
			t.Fatalf("matching = %d", page.Matching)
		}
		for _, c := range page.Clients {
			if seen[c.ID] || rank[c.Lag] > rank[before] {
				t.Fatalf("%s with lag %s after %s, seen before: %v", c.ID, c.Lag, before, seen[c.ID])
			}
			seen[c.ID], before = true, c.Lag
		}
		if after = page.Next; after == "" {
			break
		}
		if len(page.Clients) != 100 {
			t.Fatalf("%d on a page that is not the last", len(page.Clients))
		}
	}
	if len(seen) != 1234 {
		t.Errorf("%d clients on all pages", len(seen))
	}
	var page clientsPage
	s.do("GET", "/v1/admin/clients", "").ok().decode(&page)
	if len(page.Clients) != 1000 || page.Next == "" || page.Clients[0].ID != "1" || page.Clients[9].ID != "10" {
		t.Errorf("by id: %d, next %q, %v", len(page.Clients), page.Next, page.Clients[:10])
	}
	var second clientsPage
	s.do("GET", "/v1/admin/clients?after="+page.Next, "").ok().decode(&second)
	if len(second.Clients) != 234 || second.Next != "" {
		t.Errorf("the second page: %d, next %q", len(second.Clients), second.Next)
	}
}

func TestClientsAreFound(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	crowd(t, s, 300)
	for query, want := range map[string]int{
		"":                            300,
		"search=USER-7":               33, // 7 and 70 to 79, three times
		"search=boards/299":           1,
		"search=http1":                300,
		"search=board/2":              300,
		"search=nobody":               0,
		"subject=user-7":              3,
		"subject=user-7&search=207/":  1,
		"subject=user-7&search=user8": 0,
	} {
		var page clientsPage
		s.do("GET", "/v1/admin/clients?limit=2&"+query, "").ok().decode(&page)
		if page.Matching != want || len(page.Clients) != min(2, want) {
			t.Errorf("%s: %d matching, %d shown; want %d", query, page.Matching, len(page.Clients), want)
		}
	}
	for query, words := range map[string]string{
		"order=age":           `order is "age": it can be id or lag`,
		"limit=0":             "it is a number from 1 to 1000",
		"limit=1001":          "it is a number from 1 to 1000",
		"limit=many":          `limit is "many"`,
		"order=lag&after=17":  "it is the next of the page before",
		"order=lag&after=x-1": "it is the next of the page before",
		"serch=a":             "did you mean search?",
	} {
		s.do("GET", "/v1/admin/clients?"+query, "").refused(nave.CodeInvalid, words)
	}
}
