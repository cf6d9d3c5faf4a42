package httpapi

import (
	"net/http"
	"strings"

	"github.com/navehub/nave"
	"github.com/navehub/nave/auth"
)

// identified is an operation that is told who calls. Of a token that was revoked the
// log is told too whose it was.
func identified(op operation) operation {
	return func(x *exchange) (err error) {
		if changes := x.r.Method != http.MethodGet && x.r.Method != http.MethodHead; changes {
			if err := x.cors.checkSite(x.r); err != nil {
				return err
			}
		}
		if x.who, err = x.identify(); err != nil {
			return err
		}
		return op(x)
	}
}

// identify says who has sent the request. A credential that is not valid is refused,
// and nobody who shows one is taken for anonymous.
//
// The Authorization header counts, else a ticket in the URL, else the cookie: a
// browser sends that by itself, so it says least of what the page wants.
func (x *exchange) identify() (*auth.Identity, error) {
	if headers := x.r.Header["Authorization"]; len(headers) > 0 {
		token, err := bearer(headers)
		if err != nil {
			return nil, err
		}
		return x.bearerOf(token)
	}
	if x.r.URL.RawQuery != "" {
		if values, _ := x.values(); values.Has(ticketParameter) {
			return x.holderOf(values.Get(ticketParameter))
		}
	}
	if n := cookiesCalled(x.Cookie, x.r.Header["Cookie"]); n > 0 {
		if err := x.cors.checkCookie(x.r); err != nil {
			return nil, err
		}
		cookies := x.r.CookiesNamed(x.Cookie)
		if n > 1 || len(cookies) != 1 {
			return nil, nave.Errorf(nave.CodeUnauthorised, "there is more than one cookie %s, or it cannot be read: nothing of it can be believed", x.Cookie)
		}
		return x.bearerOf(cookies[0].Value)
	}
	return x.authority.Anonymous(), nil
}

// cookiesCalled counts cookies of a name, also those that net/http would pass over.
func cookiesCalled(name string, headers []string) (n int) {
	for _, header := range headers {
		for pair := range strings.SplitSeq(header, ";") {
			if called, _, _ := strings.Cut(strings.TrimSpace(pair), "="); called == name {
				n++
			}
		}
	}
	return n
}

func bearer(headers []string) (token string, err error) {
	scheme, token, _ := strings.Cut(headers[0], " ")
	switch {
	case len(headers) > 1:
		return "", nave.Errorf(nave.CodeUnauthorised, "there are %d Authorization headers: one is all that can be believed", len(headers))
	case !strings.EqualFold(scheme, "Bearer"):
		return "", nave.Errorf(nave.CodeUnauthorised, "the Authorization header is of another scheme: write it as Authorization: Bearer <token>")
	}
	return strings.Trim(token, " "), nil
}

func (x *exchange) bearerOf(token string) (*auth.Identity, error) {
	who, err := x.authority.Identify(x.r.Context(), token)
	if nave.CodeOf(err) == nave.CodeUnauthorised {
		x.Header().Set("WWW-Authenticate", challenge+`, error="invalid_token"`) // RFC 6750, section 3.1
	}
	return who, err
}

// ticketParameter is where a ticket stands, which is for reading, and for what a beacon
// says of that: it cannot have headers.
const ticketParameter = "ticket"

func (x *exchange) holderOf(ticket string) (*auth.Identity, error) {
	reads := x.r.Method == http.MethodGet && (x.r.URL.Path == eventsPath || x.r.URL.Path == statePath)
	if !reads && (x.r.Method != http.MethodPost || x.r.URL.Path != receiptsPath) {
		return nil, nave.Errorf(nave.CodeUnauthorised, "a ticket is for reading events and state, and for receipts: send the token as Authorization: Bearer")
	}
	who, err := x.tickets.Redeem(ticket)
	if err != nil {
		return nil, err
	}
	return who, x.authority.Check(who)
}

// challenge asks for a token (RFC 9110, section 11.6.1).
const challenge = `Bearer realm="nave"`

// needsToken refuses who is anonymous.
func (x *exchange) needsToken(what string) error {
	if x.who.Anonymous() {
		return nave.Errorf(nave.CodeUnauthorised, "%s takes a token: send one as Authorization: Bearer", what)
	}
	return nil
}

// mayPublish refuses events that the caller may not publish, or not now. A stream of
// lines may outlast its token.
func (x *exchange) mayPublish(events []nave.Event) error {
	if err := x.authority.Check(x.who); err != nil {
		return err
	}
	for i := range events {
		if events[i].Topic.Reserved() {
			continue // nobody may, and the hub says why
		}
		if err := x.who.CheckPublish(&events[i]); err != nil {
			if len(events) > 1 {
				return nave.Errorf(nave.CodeOf(err), "event %d: %w", i, err)
			}
			return err
		}
	}
	return x.rates.take(x.publisher(), len(events))
}

// administered is an operation that takes the grant to administer its path.
func administered(op operation) operation {
	return func(x *exchange) error {
		path := strings.TrimPrefix(strings.TrimPrefix(x.r.URL.Path, adminPath), "/")
		if err := x.who.CheckAdmin(path); err != nil {
			return err
		}
		return op(x)
	}
}
