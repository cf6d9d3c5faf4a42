package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/navehub/nave"
)

// FuzzPublishBody: what is accepted means what encoding/json reads, and what is
// not says why, in one line.
func FuzzPublishBody(f *testing.F) {
	for _, seed := range []string{
		`{"topic":"a","type":"b","key":"k","data":{"x":[1,2.5e3,null]},"id":"1","source":"s","time":"2026-01-02T03:04:05Z","ifVersion":18446744073709551615}`,
		`[{"topic":"a","type":"b"},{"topic":"a","type":"b"}]`, `[]`, `{}`, `null`, `"\ud800"`, `{"data":1,"data":2}`, `[{},]`, "\xef\xbb\xbf{}",
		`{"key":"\ud83d\ude00"}`, `{"key":"\\ufffd\ud800"}`, `{"ifVersion":01}`, `{"data":}`, `{"a":1}{`, `[[[[`, `{"ifVersion":18446744073709551616}`,
		`{"ifVersion":-0}`, `{"ifVersion":1e0}`, "{\"ifVersion\":{\"a\":\n[\"\u2028\"]}}", `{"time":"9999-12-31T23:59:60Z"}`, `{"time":"2026-01-02T03:04:05,6Z"}`,
		`{"time":"0000-01-01T00:00:00+23:59"}`, `{"\u0074opic":"a"}`, `{"topic":"a","t\u006fpic":"b"}`, `{"data":1e999}`, `{"data":"\u0000\ud800"}`,
		"[" + strings.Repeat("{},", 10) + "{}]", `{"data":` + strings.Repeat("[", 9_999) + strings.Repeat("]", 9_999) + "}", "{\"a\x00\r\nb\":1}",
		`{"Topic":"a"}`, `{"topic":null}`, `{"topic":["a"]}`, " \t\r\n", `{"topic":"a\/b","type":"\u003cscript>"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := decodeEvents(body, 10)
		if err != nil {
			checkRefusal(t, body, err, nave.CodeInvalid, nave.CodeTooMany)
			return
		}
		if !json.Valid(body) || len(events) > 10 {
			t.Fatalf("%q is accepted as %d events", body, len(events))
		}
		plain := []map[string]json.RawMessage{{}}
		if bytes.TrimSpace(body)[0] == '[' {
			err = json.Unmarshal(body, &plain)
		} else {
			err = json.Unmarshal(body, &plain[0])
		}
		if err != nil || len(plain) != len(events) {
			t.Fatalf("%q is accepted as %d events, encoding/json reads %d: %v", body, len(events), len(plain), err)
		}
		for i := range events {
			checkMembers(t, &events[i], plain[i])
		}
	})
}

// checkMembers compares an event with its members as encoding/json has them.
func checkMembers(t *testing.T, e *nave.Event, plain map[string]json.RawMessage) {
	t.Helper()
	for name, got := range map[string]string{
		"topic": string(e.Topic), "type": e.Type, "key": e.Key, "id": e.ID, "source": e.Source,
	} {
		var want string
		if raw, ok := plain[name]; ok && json.Unmarshal(raw, &want) != nil || got != want {
			t.Errorf("%s %s is read as %q", name, raw, got)
		}
		delete(plain, name)
	}
	if !bytes.Equal(e.Data, plain["data"]) {
		t.Errorf("data %q is read as %q", plain["data"], e.Data)
	}
	var version *uint64
	if raw, ok := plain["ifVersion"]; ok && json.Unmarshal(raw, &version) != nil || (version == nil) != (e.IfVersion == nil) ||
		version != nil && *version != *e.IfVersion {
		t.Errorf("ifVersion %s is read as %v", raw, e.IfVersion)
	}
	var text string
	if raw, ok := plain["time"]; ok {
		_ = json.Unmarshal(raw, &text)
		if at, err := time.Parse(time.RFC3339, text); err != nil || !at.Equal(e.Time) {
			t.Errorf("time %s is read as %v", raw, e.Time)
		}
	} else if !e.Time.IsZero() {
		t.Errorf("there is a time, %v, where none was sent", e.Time)
	}
	for _, known := range []string{"data", "ifVersion", "time"} {
		delete(plain, known)
	}
	if len(plain) > 0 {
		t.Errorf("%v was accepted, and is nowhere", plain)
	}
}

// checkRefusal checks that an error has one of the codes, is a sentence of one
// line that can be shown, and becomes a problem document.
func checkRefusal(t *testing.T, input any, err error, codes ...nave.Code) {
	t.Helper()
	var coded *nave.Error
	if !errors.As(err, &coded) || coded.Detail == "" {
		t.Fatalf("%q is refused with %#v", input, err)
	}
	ok := false
	for _, code := range codes {
		ok = ok || coded.Code == code
	}
	if !ok {
		t.Errorf("%q is refused as %s", input, coded.Code)
	}
	if detail := coded.Detail; !utf8.ValidString(detail) || len(detail) > 1000 ||
		strings.ContainsFunc(detail, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }) {
		t.Errorf("%q is refused with a text that nobody can show: %q", input, detail)
	}
	p := problemOf(err)
	if p.Status != kinds[coded.Code].status || !json.Valid(p.body()) {
		t.Errorf("%q is refused with %s", input, p.body())
	}
}
