package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/navehub/nave"
)

// What browsers are told once, for as long as they will remember.
const (
	corsMethods = "GET, HEAD, POST, PUT, DELETE"
	corsHeaders = "Authorization, Content-Type, If-None-Match, Last-Event-ID, Traceparent, Tracestate"
	corsExpose  = "ETag, Nave-Repeat, Retry-After"
	corsMaxAge  = "7200" // Chromium's limit
)

// cors says which web origins may use the hub. Credentials, which a browser sends by
// itself, are for those that are listed by their whole name.
type cors struct {
	every   bool
	origins []string
}

func newCORS(origins []string) cors {
	return cors{slices.Contains(origins, "*"), origins}
}

// lists reports whether an origin is listed, itself or with any port.
func (c *cors) lists(origin string) bool {
	return origin != "" &&
		(slices.Contains(c.origins, origin) || slices.Contains(c.origins, withoutPort(origin)+anyPort))
}

// names reports whether an origin is listed by its whole name, and so may have the
// browser send what it sends by itself.
func (c *cors) names(origin string) bool {
	return origin != "" && !strings.Contains(origin, "*") && slices.Contains(c.origins, origin)
}

const anyPort = ":*"

func withoutPort(origin string) string {
	i := strings.LastIndexByte(origin, ':')
	if i < 0 || strings.Trim(origin[i+1:], "0123456789") != "" {
		return origin
	}
	return origin[:i]
}

func preflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}

// answer sets the headers.
func (c *cors) answer(h http.Header, r *http.Request) {
	if !c.every {
		h.Add("Vary", "Origin")
	}
	origin := r.Header.Get("Origin")
	switch {
	case c.every:
		h.Set("Access-Control-Allow-Origin", "*")
	case c.lists(origin):
		h.Set("Access-Control-Allow-Origin", origin)
		if c.names(origin) {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
	default:
		return
	}
	if !preflight(r) {
		h.Set("Access-Control-Expose-Headers", corsExpose)
		return
	}
	h.Set("Access-Control-Allow-Methods", corsMethods)
	h.Set("Access-Control-Allow-Headers", corsHeaders)
	h.Set("Access-Control-Max-Age", corsMaxAge)
}

// checkSite refuses to write for a page of a foreign site. Browsers keep such a
// page from reading the answer, but a simple request they send all the same.
func (c *cors) checkSite(r *http.Request) error {
	origin := r.Header.Get("Origin")
	if origin == "" || c.every || c.lists(origin) {
		return nil
	}
	if own(origin, r) {
		return nil
	}
	return nave.Errorf(nave.CodeForbidden, "pages of %.100q may change nothing here: the hub's configuration does not list that origin", origin)
}

// own reports whether a page is of the hub's own origin. A hub without TLS may stand
// behind a proxy that has it.
func own(origin string, r *http.Request) bool {
	scheme, host, _ := strings.Cut(origin, "://")
	return host != "" && host == r.Host && (scheme == "https" || scheme == "http" && r.TLS == nil)
}

// checkCookie refuses a cookie that a foreign page may have made the browser send.
// Whatever changes something has to say where it comes from; a page that reads is
// kept from the answer by the browser, unless it is listed.
func (c *cors) checkCookie(r *http.Request) error {
	origin := r.Header.Get("Origin")
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case origin == "" && reads && r.Header.Get("Sec-Fetch-Site") != "cross-site", own(origin, r), c.names(origin):
		return nil
	case origin == "":
		return nave.Errorf(nave.CodeForbidden, "a cookie counts only with the Origin of the page that sends it: send the token as Authorization: Bearer")
	}
	return nave.Errorf(nave.CodeForbidden, "pages of %.100q may not use the cookie here: the hub's configuration does not list that origin", origin)
}
