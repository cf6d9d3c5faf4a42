package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzWithIDs: every event of a line goes out with an id, with its own if it has
// one, and otherwise as it was written.
func FuzzWithIDs(f *testing.F) {
	for _, seed := range []string{
		`{"topic":"a"}`, `{}`, `{ }`, `{"id":""}`, `{"id":"1"}`, `{"ID":"1"}`, `[{"topic":"a"},{"id":"1"}]`, `[]`, `null`, `"a"`, `{"id":5}`, `{"id":null}`,
		`{"topic":"a"} {}`, "{\"a\":\"\xff\"}", `[[]]`, `{"id":"\ud800"}`, `{,}`, `[null]`, `{"data":{"id":"x"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		text = bytes.TrimSpace(text)
		out, err := line{1, text}.withIDs()
		if err != nil {
			if says := err.Error(); strings.ContainsFunc(says, unicode.IsControl) || !utf8.ValidString(says) {
				t.Errorf("%q is refused with %q", text, says)
			}
			return
		}
		var events []map[string]json.RawMessage
		wrapped := out
		if !bytes.HasPrefix(text, []byte("[")) {
			wrapped = append(append([]byte("["), out...), ']')
		}
		if err := json.Unmarshal(wrapped, &events); err != nil || bytes.ContainsAny(out, "\n") && !bytes.ContainsAny(text, "\n") {
			t.Fatalf("%q goes out as %q: %v", text, out, err)
		}
		for _, e := range events {
			if len(e) == 0 {
				t.Errorf("%q goes out without id: %q", text, out)
			}
		}
	})
}

// FuzzHarmless: nothing that is shown makes a terminal do anything.
func FuzzHarmless(f *testing.F) {
	for _, seed := range []string{"", "a", "\x1b[2J", "\x1b]0;title\a", "\u009b2J", "\r\n\t", `{"a":"\u001b"}`, "\x7f", "\xff\x9b", "\u2028\u202e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shown := harmless(text)
		if strings.ContainsFunc(shown, unicode.IsControl) {
			t.Errorf("%q is shown as %q", text, shown)
		}
		if again := harmless(shown); again != shown {
			t.Errorf("%q is shown as %q, and then as %q", text, shown, again)
		}
		var before, after any
		if json.Unmarshal([]byte(text), &before) == nil && json.Valid([]byte(text)) && !strings.ContainsAny(text, "\r\n\t") {
			if json.Unmarshal([]byte(shown), &after) != nil {
				t.Errorf("JSON %q is shown as %q, which is none", text, shown)
			}
		}
	})
}
