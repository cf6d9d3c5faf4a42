package httpapi

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/navehub/nave"
	"github.com/navehub/nave/registry"
)

var clientParameters = []string{"subject", "search", "order", "limit", "after"}

// The orders in which clients can be listed.
const (
	orderID  = "id"  // as they have come
	orderLag = "lag" // the worst first
)

// A clientQuery asks who is connected.
type clientQuery struct {
	subject *string // nil: whoever it is
	search  string  // in lower case
	order   string
	limit   int
	after   clientPlace
	from    bool // there is an after
}

// A clientPlace is where a client stands in an order. As text it is the id, and in
// the order of lag "2-17".
type clientPlace struct {
	lag registry.Lag // 0 in the order of ids
	id  string
}

// compare has ids by number, which they are.
func (p clientPlace) compare(other clientPlace) int {
	return cmp.Or(cmp.Compare(other.lag, p.lag), cmp.Compare(len(p.id), len(other.id)), strings.Compare(p.id, other.id))
}

func (q *clientQuery) place(c *registry.Client) clientPlace {
	if q.order == orderID {
		return clientPlace{id: c.ID}
	}
	return clientPlace{c.Lag, c.ID}
}

func (q *clientQuery) text(p clientPlace) string {
	if q.order == orderID {
		return p.id
	}
	return strconv.Itoa(int(p.lag)) + "-" + p.id
}

func (x *exchange) parseClientQuery() (q clientQuery, err error) {
	values, err := x.parseValues(clientParameters)
	if err != nil {
		return q, err
	}
	q.search, q.order, q.limit = strings.ToLower(values.Get("search")), cmp.Or(values.Get("order"), orderID), adminPage
	if values.Has("subject") {
		subject := values.Get("subject")
		q.subject = &subject
	}
	if q.order != orderID && q.order != orderLag {
		return q, nave.Errorf(nave.CodeInvalid, "order is %.40q: it can be %s or %s", q.order, orderID, orderLag)
	}
	if text := values.Get("limit"); text != "" {
		if q.limit, err = strconv.Atoi(text); err != nil || q.limit < 1 || q.limit > adminPage {
			return q, nave.Errorf(nave.CodeInvalid, "limit is %.40q: it is a number from 1 to %d", text, adminPage)
		}
	}
	return q, q.goOn(values.Get("after"))
}

// goOn reads where the page before has ended.
func (q *clientQuery) goOn(after string) error {
	if q.from = after != ""; !q.from {
		return nil
	}
	q.after.id = after
	if q.order == orderID {
		return nil
	}
	lag, id, _ := strings.Cut(after, "-")
	n, err := strconv.ParseUint(lag, 10, 8)
	if err != nil || id == "" {
		return nave.Errorf(nave.CodeInvalid, "after is %.40q: it is the next of the page before, in the same order", after)
	}
	q.after = clientPlace{registry.Lag(n), id}
	return nil
}

func (q *clientQuery) wants(c *registry.Client) bool {
	if q.subject != nil && (c.Who == nil || c.Who.Subject != *q.subject) {
		return false
	}
	return q.search == "" || q.finds(c)
}

// finds looks for the text in all that a row shows of who it is.
func (q *clientQuery) finds(c *registry.Client) bool {
	has := func(text string) bool { return strings.Contains(strings.ToLower(text), q.search) }
	return has(c.ID) || c.Who != nil && has(c.Who.Subject) || c.Address.IsValid() && has(c.Address.String()) ||
		has(c.UserAgent) || has(c.Transport) || slices.ContainsFunc(c.Filters, func(f nave.Filter) bool { return has(string(f)) })
}

// listClients answers GET /v1/admin/clients, in pages: next is the after of the next,
// and matching how many there are on all of them.
func (x *exchange) listClients() error {
	q, err := x.parseClientQuery()
	if err != nil {
		return err
	}
	all := x.Hub.Registry().Snapshot()
	var places []clientPlace // without their rows: there may be ten thousand
	all.EachClient(func(c *registry.Client) {
		if q.wants(c) {
			places = append(places, q.place(c))
		}
	})
	slices.SortFunc(places, clientPlace.compare)
	page := struct {
		Clients  []connection `json:"clients"`
		Next     string       `json:"next,omitempty"`
		Matching int          `json:"matching"`
	}{Clients: []connection{}, Matching: len(places)}
	if q.from {
		places = slices.DeleteFunc(places, func(p clientPlace) bool { return p.compare(q.after) <= 0 })
	}
	if len(places) > q.limit {
		places = places[:q.limit]
		page.Next = q.text(places[q.limit-1])
	}
	for _, p := range places {
		if c, ok := all.Client(p.id); ok {
			page.Clients = append(page.Clients, connectionOf(c))
		}
	}
	x.answer(http.StatusOK, page)
	return nil
}
