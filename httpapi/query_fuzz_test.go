package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/auth"
)

// FuzzQuery: a subscription asks for what its query says, all of it, or is told
// what is wrong; and no cursor, however hostile, is kept longer than a cursor is.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"topic=cards/*&topic=users/**&cursor=k3v9x1-42&snapshot=true&wait=25s", "topic=a&topic=a", "", "topic=", "topic", "topic=a%00b",
		"topic=a%0d%0aid:+1", "topic=%ff", "topic=%c0%af", "topic=a%E2%80%A8b", "topic=..", "topic=a//b", "topic=$hub/**", "topic=**/**", "topic=a%2Fb",
		"topic=a&wait=1000h", "topic=a&wait=-1s", "topic=a&wait=NaN", "topic=a&wait=1e9s", "topic=a&wait=9223372036854775807ns", "topic=a&wait=.s",
		"topic=a&cursor=a-18446744073709551616", "topic=a&cursor=1&cursor=2", "topic=a&snapshot=TRUE", "topic=a;b=c", "topic=a&%zz", "&&&=&", "Topic=a",
		"topic=a&lastEventId=1", strings.Repeat("topic=a/*&", 200), "topic=" + strings.Repeat("*/", 127) + "*", "topic=a&topic%00=b",
	} {
		f.Add(seed, "", int64(30))
		f.Add(seed, "k3v9x1-42", int64(1))
	}
	f.Add("topic=a", strings.Repeat("\xff\x00", 100), int64(0))
	f.Fuzz(func(t *testing.T, raw, lastID string, most int64) {
		h := &handler{Config: Config{MaxWait: time.Duration(max(most, 0)) * time.Second}}
		r := &http.Request{URL: &url.URL{RawQuery: raw}, Header: http.Header{}}
		if lastID != "" {
			r.Header.Set("Last-Event-ID", lastID)
		}
		x := &exchange{handler: h, r: r, who: auth.Open().Anonymous()}
		q, err := x.parseQuery(eventParameters)
		if err != nil {
			checkRefusal(t, raw, err, nave.CodeInvalid)
			return
		}
		want, err := url.ParseQuery(raw)
		if err != nil {
			t.Fatalf("%q is accepted, and cannot be read: %v", raw, err)
		}
		for name, all := range want {
			if !slices.Contains(eventParameters, name) || name != "topic" && len(all) > 1 {
				t.Errorf("%q is accepted with %s=%q", raw, name, all)
			}
		}
		if len(q.filters) != len(want["topic"]) {
			t.Errorf("%q has %d filters, want %q", raw, len(q.filters), want["topic"])
		}
		for i, filter := range q.filters {
			if _, err := nave.ParseFilter(string(filter)); err != nil || string(filter) != want["topic"][i] {
				t.Errorf("%q asks for %q", raw, filter)
			}
		}
		if q.wait < 0 || q.wait > h.MaxWait || q.snapshot != (want.Get("snapshot") == "true") {
			t.Errorf("%q waits for %v, snapshot %v", raw, q.wait, q.snapshot)
		}
		checkCursor(t, q.cursor, lastID, want.Get("cursor"))
	})
}

// checkCursor checks that the header's word is taken, else the parameter's, and
// that a cursor stays what it is, and what is none does not become one.
func checkCursor(t *testing.T, got, header, parameter string) {
	t.Helper()
	said := header
	if said == "" {
		said = parameter
	}
	cursor, err := nave.ParseCursor(said)
	if again, errAgain := nave.ParseCursor(got); len(got) > 64 || (err == nil) != (errAgain == nil) || again != cursor {
		t.Errorf("cursor %q becomes %q", said, got)
	}
}
