package httpapi

import (
	"slices"
	"testing"
)

func TestNegotiate(t *testing.T) {
	const events, lines, page = "text/event-stream", "application/x-ndjson", "application/json"
	for _, tt := range []struct {
		accept []string
		want   string
	}{
		{nil, events},
		{[]string{""}, events},
		{[]string{"*/*"}, events},
		{[]string{"text/html,application/xhtml+xml,*/*;q=0.8"}, events},
		{[]string{"application/json"}, page},
		{[]string{"Application/JSON; charset=utf-8"}, page},
		{[]string{"application/x-ndjson, application/json;q=0.9"}, lines},
		{[]string{"application/json;q=0.5, text/event-stream;q=0.4"}, page},
		{[]string{"application/json", "text/event-stream"}, events},
		{[]string{"text/event-stream;q=0, */*"}, lines},
		{[]string{"application/*"}, lines},
		{[]string{"application/*;q=0.9, application/json"}, page},
		{[]string{"text/html"}, ""},
		{[]string{"*/*;q=0"}, ""},
		{[]string{"application/json;q=2, nonsense, ;;"}, ""},
		{[]string{"application/json;q=NaN"}, ""},
		{[]string{"nonsense, application/json"}, page},
	} {
		if got := negotiate(tt.accept, eventFormats); got != tt.want {
			t.Errorf("negotiate(%q) = %q, want %q", tt.accept, got, tt.want)
		}
	}
}

func FuzzAccept(f *testing.F) {
	for _, seed := range []string{"", "*/*", "text/event-stream;q=0.1,application/json", `a/b;c="d,e";q=1`, ";,;=", "*/*;q=1e-3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		got := negotiate([]string{accept}, eventFormats)
		if got != "" && !slices.Contains(eventFormats, got) {
			t.Errorf("%q gets %q", accept, got)
		}
		// What is liked best is still liked when it is all that there is.
		if got != "" && negotiate([]string{accept}, []string{got}) != got {
			t.Errorf("%q likes %q best, and not at all", accept, got)
		}
	})
}
