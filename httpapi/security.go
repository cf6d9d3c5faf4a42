package httpapi

import "net/http"

// What a browser may do with an answer that is opened as a page, or embedded in
// one, is nothing. The slices are shared by all answers: nobody may write to them.
var (
	noSniffing = []string{"nosniff"}
	noContent  = []string{"default-src 'none'; frame-ancestors 'none'"}
	noReferrer = []string{"no-referrer"}
	sameOrigin = []string{"same-origin"}
)

// protect sets the headers that say so. An origin that cors allows may embed the
// answer too: it can read it.
func protect(h http.Header) {
	h["X-Content-Type-Options"] = noSniffing
	h["Content-Security-Policy"] = noContent
	h["Referrer-Policy"] = noReferrer
	if h["Access-Control-Allow-Origin"] == nil {
		h["Cross-Origin-Resource-Policy"] = sameOrigin
	}
}

// unprotect leaves a stream what it needs: it is never a page, and its head is
// written for every client.
func unprotect(h http.Header) {
	delete(h, "Content-Security-Policy")
	delete(h, "Referrer-Policy")
	delete(h, "Cross-Origin-Resource-Policy")
}
