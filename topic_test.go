package nave_test

import (
	"strings"
	"testing"

	"github.com/navehub/nave"
)

// segmentsTests are right or wrong for topics and filters alike.
var segmentsTests = []struct {
	name, text string
	ok         bool
}{
	{"one segment", "cards", true},
	{"two segments", "cards/board-1", true},
	{"other scripts", "karten/été/カード", true},
	{"space and punctuation", "a b/c.d:e@f?g=h&i", true},
	{"dots are names like others", "../.", true},
	{"reserved", "$hub/presence", true},
	{"as long as allowed", strings.Repeat("x", nave.MaxTopicBytes), true},
	{"empty", "", false},
	{"slash", "/", false},
	{"starts with a slash", "/cards", false},
	{"ends with a slash", "cards/", false},
	{"empty segment", "cards//1", false},
	{"too long", strings.Repeat("x", nave.MaxTopicBytes+1), false},
	{"too long in bytes", strings.Repeat("é", nave.MaxTopicBytes/2+1), false},
	{"NUL", "cards\x00", false},
	{"CR", "cards\rid: 1", false},
	{"LF", "cards\ndata: 1", false},
	{"DEL", "cards\x7f", false},
	{"NEL", "cards\u0085", false},
	{"line separator", "cards\u2028", false},
	{"paragraph separator", "cards\u2029", false},
	{"not UTF-8", "cards/\xff", false},
	{"half a character", "cards/\xc3", false},
	{"a surrogate", "cards/\xed\xa0\x80", false},
}

func TestParseTopic(t *testing.T) {
	for _, tt := range segmentsTests {
		t.Run(tt.name, func(t *testing.T) {
			topic, err := nave.ParseTopic(tt.text)
			checkParsed(t, string(topic), err, tt.text, tt.ok)
		})
	}
	for _, wild := range []string{"*", "**", "cards/*", "cards/**", "ca*rds"} {
		if _, err := nave.ParseTopic(wild); nave.CodeOf(err) != nave.CodeInvalid {
			t.Errorf("ParseTopic(%q) = %v, want invalid: wildcards are for filters", wild, err)
		}
	}
}

func checkParsed(t *testing.T, got string, err error, text string, ok bool) {
	t.Helper()
	switch {
	case ok && (err != nil || got != text):
		t.Errorf("parsed %q as %q, %v", text, got, err)
	case !ok && (nave.CodeOf(err) != nave.CodeInvalid || got != ""):
		t.Errorf("parsed %q as %q, %v, want invalid", text, got, err)
	}
}

func TestTopicReserved(t *testing.T) {
	for topic, want := range map[nave.Topic]bool{"$hub": true, "$hub/a": true, "$": true, "cards/$hub": false, "cards": false} {
		if got := topic.Reserved(); got != want {
			t.Errorf("%q reserved = %v, want %v", topic, got, want)
		}
	}
}
