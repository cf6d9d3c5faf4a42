package httpapi

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
)

func checkProtected(t *testing.T, what string, h http.Header, resource string) {
	t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Resource-Policy": resource,
	} {
		if got := h.Get(name); got != want || len(h.Values(name)) > 1 {
			t.Errorf("%s: %s = %q, want %q", what, name, h.Values(name), want)
		}
	}
}

func TestAnswersAreNoPages(t *testing.T) {
	const page = "https://app.example"
	s := start(t, hub.Config{}, Config{Origins: []string{page}})
	for _, request := range [][3]string{
		{"GET", "/", ""}, {"GET", "/livez", ""}, {"HEAD", "/readyz", ""}, {"GET", "/nowhere", ""}, {"DELETE", "/v1/events", ""}, {"OPTIONS", "/v1/events", ""},
		{"POST", "/v1/events", `{"topic":"a","type":"b"}`}, {"POST", "/v1/events", "{"}, {"GET", "/v1/state?topic=a", ""}, {"GET", "/v1/events?topic=*x", ""},
	} {
		a := s.do(request[0], request[1], request[2], "Accept", "*/*")
		checkProtected(t, request[0]+" "+request[1], a.Header, "same-origin")
		a = s.do(request[0], request[1], request[2], "Accept", "*/*", "Origin", page)
		checkProtected(t, request[0]+" "+request[1]+" of a page", a.Header, "")
	}
	for name := range s.subscribe("topic=a").response.Header {
		switch name {
		case "Content-Security-Policy", "Referrer-Policy", "Cross-Origin-Resource-Policy":
			t.Errorf("a stream has %s", name)
		}
	}
}

// A stream that comes to nothing is answered like all else.
func TestARefusedStreamIsNoPage(t *testing.T) {
	s := startFake(t, fake{err: nave.Errorf(nave.CodeOverloaded, "full")})
	a := s.do("GET", "/v1/events?topic=a", "", "Accept", "text/event-stream").refused(nave.CodeOverloaded, "full")
	checkProtected(t, "a refused stream", a.Header, "same-origin")
}

func TestProtectingAllocatesNothing(t *testing.T) {
	h := httptest.NewRecorder().Header()
	protect(h)
	if n := testing.AllocsPerRun(100, func() { protect(h); unprotect(h) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
