package httpapi

import (
	"mime"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/navehub/nave"
)

// FuzzBodyFormat: a body that is not plain JSON in UTF-8 is not taken for it.
func FuzzBodyFormat(f *testing.F) {
	for _, seed := range []string{
		"", "application/json", "application/json; charset=utf-8", "APPLICATION/JSON;CHARSET=\"UTF-8\"", "application/x-ndjson", "application/jsonl",
		"application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-16", "application/json;;", "a/b;c=\"d", "application/json\r\nX: y",
		"application/json; charset=utf-8; charset=utf-7", "application/json, text/html", "application/cloudevents+json", "\x00", strings.Repeat("a/b;", 1000),
	} {
		f.Add(seed, "")
		f.Add(seed, "identity")
	}
	f.Add("application/json", "gzip")
	f.Add("application/json", " Identity, gzip")
	f.Add("", "br\r\nX: y")
	f.Fuzz(func(t *testing.T, kind, encoding string) {
		h := http.Header{}
		for name, value := range map[string]string{"Content-Type": kind, "Content-Encoding": encoding} {
			if value != "" {
				h.Set(name, value)
			}
		}
		format, err := bodyFormat(h)
		if err != nil {
			checkRefusal(t, kind+encoding, err, codeMediaType)
			return
		}
		if encoding != "" && !strings.EqualFold(encoding, "identity") {
			t.Errorf("content encoding %q is taken for none", encoding)
		}
		name, parameters, err := mime.ParseMediaType(kind)
		lines := strings.HasSuffix(name, "ndjson") || strings.HasSuffix(name, "jsonl")
		if kind != "" && (err != nil || lines != (format == ndjsonType) ||
			parameters["charset"] != "" && !strings.EqualFold(parameters["charset"], "utf-8")) {
			t.Errorf("content type %q is taken for %s", kind, format)
		}
	})
}

// FuzzOrigin: only origins that are listed are told that they may, under their
// own name, and only they and the hub's own may write.
func FuzzOrigin(f *testing.F) {
	for _, origin := range []string{
		"https://app.example", "https://app.example:443", "http://localhost", "http://localhost:3000", "http://localhost:*", "http://localhost:80:80",
		"http://localhost:evil.example", "http://localhost:80@evil.example", "http://localhost.evil.example", "https://app.example.evil.example",
		"HTTPS://app.example", "https://app.example/", "null", "", "*", "https://*", "http://hub:8080", "file://", "https://app.example\r\nX: y",
		"https://app.example, https://evil.example", "http://[::1]:80", "http://localhost:", "://", "\x00",
	} {
		f.Add(origin, "hub:8080", "https://app.example", "http://localhost:*")
	}
	f.Add("null", "", "*", "")
	f.Fuzz(func(t *testing.T, origin, host, first, second string) {
		c := newCORS([]string{first, second})
		r := &http.Request{Method: "POST", Host: host, Header: http.Header{"Origin": {origin}}}
		h := http.Header{}
		c.answer(h, r)
		listed := origin != "" && (origin == first || origin == second || anyPortOf(origin, first) || anyPortOf(origin, second))
		every := first == "*" || second == "*"
		want := ""
		switch {
		case every:
			want = "*"
		case listed:
			want = origin
		}
		if got := h.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("%q is told that %q may, want %q", origin, got, want)
		}
		named := !every && listed && !strings.Contains(origin, "*") && (origin == first || origin == second)
		if got := h.Get("Access-Control-Allow-Credentials") == "true"; got != named {
			t.Errorf("%q may have credentials sent: %v, want %v", origin, got, named)
		}
		if (h.Get("Vary") == "Origin") == every {
			t.Errorf("%q is answered with Vary %q", origin, h["Vary"])
		}
		own := host != "" && strings.HasSuffix(origin, "//"+host)
		switch err := c.checkSite(r); {
		case err != nil:
			checkRefusal(t, origin, err, nave.CodeForbidden)
			if listed || every || origin == "" {
				t.Errorf("%q may not write: %v", origin, err)
			}
		case !listed && !every && origin != "" && !own:
			t.Errorf("%q may write to %q", origin, host)
		}
	})
}

// anyPortOf reports whether origin is pattern with any port, or none.
func anyPortOf(origin, pattern string) bool {
	base, any := strings.CutSuffix(pattern, ":*")
	rest, same := strings.CutPrefix(origin, base)
	port, has := strings.CutPrefix(rest, ":")
	return any && same && (rest == "" || has && strings.Trim(port, "0123456789") == "")
}

// FuzzIfNoneMatch: a tag is found wherever it stands, and no other is taken for it.
func FuzzIfNoneMatch(f *testing.F) {
	for _, seed := range []string{`W/"a-1"`, `"a-1"`, `*`, `"b", W/"a-1"`, `"a-10"`, ``, `,,,`, `W/W/"a-1"`, `a-1`, `"a-1`, `"x" , *`} {
		f.Add(seed, uint64(1))
	}
	f.Fuzz(func(t *testing.T, header string, offset uint64) {
		tag := tagOf(nave.Cursor{Epoch: "a", Offset: offset}.String(), nave.LevelNormal)
		var want bool
		for _, part := range strings.Split(header, ",") {
			part = strings.TrimSpace(part)
			want = want || slices.Contains([]string{"*", tag, strings.TrimPrefix(tag, "W/")}, part)
		}
		if got := matches(http.Header{"If-None-Match": {header}}, tag); got != want {
			t.Errorf("%q has %s: %v, want %v", header, tag, got, want)
		}
	})
}
