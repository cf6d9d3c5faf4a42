package nave_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/navehub/nave"
)

func TestParseFilter(t *testing.T) {
	for _, tt := range segmentsTests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := nave.ParseFilter(tt.text)
			checkParsed(t, string(f), err, tt.text, tt.ok)
		})
	}
	for text, ok := range map[string]bool{
		"*": true, "**": true, "cards/*": true, "*/board-1": true, "*/*": true,
		"cards/**": true, "cards/*/**": true, "$hub/*": true,
		"**/cards": false, "cards/**/1": false, "**/**": false, "***": false,
		"card*": false, "cards/b*": false, "cards/*b": false, "cards/b**": false, "$*": false,
	} {
		t.Run(text, func(t *testing.T) {
			f, err := nave.ParseFilter(text)
			checkParsed(t, string(f), err, text, ok)
		})
	}
}

func TestFilterMatch(t *testing.T) {
	for _, tt := range []struct {
		filter nave.Filter
		yes    []nave.Topic
		no     []nave.Topic
	}{
		{"cards/1", []nave.Topic{"cards/1"}, []nave.Topic{"cards", "cards/2", "cards/1/a", "Cards/1", "cards/11"}},
		{"cards/*", []nave.Topic{"cards/1", "cards/é", "cards/$x"}, []nave.Topic{"cards", "cards/1/2", "card/1", "cardss/1"}},
		{"*/1", []nave.Topic{"cards/1", "users/1"}, []nave.Topic{"1", "cards/2", "a/cards/1", "$hub/1"}},
		{"*", []nave.Topic{"cards"}, []nave.Topic{"cards/1", "$hub"}},
		{"*/*", []nave.Topic{"cards/1"}, []nave.Topic{"cards", "cards/1/2", "$hub/1"}},
		{"a/*/c", []nave.Topic{"a/b/c"}, []nave.Topic{"a/c", "a/b/b/c", "a/b/c/d"}},
		{"cards/**", []nave.Topic{"cards/1", "cards/1/2/3"}, []nave.Topic{"cards", "cardss/1"}},
		{"cards/*/**", []nave.Topic{"cards/1/2", "cards/1/2/3"}, []nave.Topic{"cards", "cards/1"}},
		{"**", []nave.Topic{"cards", "cards/1/2"}, []nave.Topic{"$hub", "$hub/a"}},
		{"*/**", []nave.Topic{"cards/1", "cards/1/2"}, []nave.Topic{"cards", "$hub/a"}},
		{"$hub/**", []nave.Topic{"$hub/a"}, []nave.Topic{"$hub", "hub/a"}},
		{"$hub/*", []nave.Topic{"$hub/a"}, []nave.Topic{"$other/a"}},
	} {
		for _, topic := range tt.yes {
			if !tt.filter.Match(topic) {
				t.Errorf("%s does not match %s", tt.filter, topic)
			}
		}
		for _, topic := range tt.no {
			if tt.filter.Match(topic) {
				t.Errorf("%s matches %s", tt.filter, topic)
			}
		}
	}
}

// Topics and filters of few segments and names, so that they often match.
var (
	segments = rapid.SampledFrom([]string{"a", "b", "ab", "$", "$a", "é"})
	topics   = rapid.Custom(func(t *rapid.T) nave.Topic {
		return nave.Topic(strings.Join(rapid.SliceOfN(segments, 1, 4).Draw(t, "segments"), "/"))
	})
	filters = rapid.Custom(func(t *rapid.T) nave.Filter {
		parts := rapid.SliceOfN(rapid.OneOf(segments, rapid.Just("*")), 0, 4).Draw(t, "segments")
		if len(parts) == 0 || rapid.Bool().Draw(t, "open") {
			parts = append(parts, "**")
		}
		return nave.Filter(strings.Join(parts, "/"))
	})
)

// matches says in the plainest way what a filter means.
func matches(filter, topic []string) bool {
	switch {
	case len(filter) == 0 || len(topic) == 0:
		return len(filter) == len(topic)
	case filter[0] == "**":
		return true
	default:
		return (filter[0] == "*" || filter[0] == topic[0]) && matches(filter[1:], topic[1:])
	}
}

func TestFilterMatchesAsItSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		filter, topic := filters.Draw(t, "filter"), topics.Draw(t, "topic")
		if parsed, err := nave.ParseFilter(string(filter)); parsed != filter || err != nil {
			t.Fatalf("ParseFilter(%q) = %q, %v", filter, parsed, err)
		}
		want := matches(strings.Split(string(filter), "/"), strings.Split(string(topic), "/"))
		if topic[0] == '$' && filter[0] == '*' {
			want = false
		}
		if got := filter.Match(topic); got != want {
			t.Errorf("%s matches %s = %v, want %v", filter, topic, got, want)
		}
		if want && !strings.HasPrefix(string(topic), filter.Prefix()) {
			t.Errorf("%s matches %s, which does not start with its prefix %q", filter, topic, filter.Prefix())
		}
		if exact, ok := filter.Exact(); ok && (string(exact) != string(filter) || want != (exact == topic)) {
			t.Errorf("%s is said to be the single topic %s", filter, exact)
		}
	})
}

func TestFilterCovers(t *testing.T) {
	for _, tt := range []struct {
		wide    nave.Filter
		yes, no []nave.Filter
	}{
		{"**", []nave.Filter{"**", "*", "*/**", "cards/**", "cards/1"}, []nave.Filter{"$hub/**", "$hub/a"}},
		{"cards/**", []nave.Filter{"cards/**", "cards/*", "cards/*/**", "cards/1", "cards/1/2"}, []nave.Filter{"cards", "**", "*/1", "Cards/1", "cardss/**"}},
		{"cards/*", []nave.Filter{"cards/*", "cards/1"}, []nave.Filter{"cards/**", "cards/1/2", "cards", "*/*"}},
		{"cards/1", []nave.Filter{"cards/1"}, []nave.Filter{"cards/*", "cards/2", "cards/1/**", "cards/11"}},
		{"*/*/**", []nave.Filter{"a/b/**", "a/*/c/d"}, []nave.Filter{"*/**", "a/b"}},
		{"$hub/**", []nave.Filter{"$hub/a", "$hub/*"}, []nave.Filter{"$hub", "**", "hub/a"}},
	} {
		for _, narrow := range tt.yes {
			if !tt.wide.Covers(narrow) {
				t.Errorf("%s does not cover %s", tt.wide, narrow)
			}
		}
		for _, narrow := range tt.no {
			if tt.wide.Covers(narrow) {
				t.Errorf("%s covers %s", tt.wide, narrow)
			}
		}
	}
}

// A filter covers another if no topic shows otherwise: either all topics drawn are
// matched by both, or one made of segments that neither names is not.
func TestFilterCoversWhatItMatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wide, narrow, topic := filters.Draw(t, "wide"), filters.Draw(t, "narrow"), topics.Draw(t, "topic")
		if wide.Covers(narrow) {
			if narrow.Match(topic) && !wide.Match(topic) {
				t.Fatalf("%s covers %s, but does not match %s", wide, narrow, topic)
			}
			return
		}
		for _, rest := range []string{"new", "new/new"} {
			witness := nave.Topic(strings.ReplaceAll(strings.Replace(string(narrow), "**", rest, 1), "*", "new"))
			if narrow.Match(witness) && !wide.Match(witness) {
				return
			}
		}
		t.Fatalf("%s does not cover %s, and no topic shows why", wide, narrow)
	})
}

func TestFilters(t *testing.T) {
	fs, err := nave.ParseFilters([]string{"cards/*", "users/1"})
	if want := (nave.Filters{"cards/*", "users/1"}); err != nil || !slices.Equal(fs, want) {
		t.Fatalf("ParseFilters = %q, %v", fs, err)
	}
	for topic, want := range map[nave.Topic]bool{"cards/2": true, "users/1": true, "users/2": false} {
		if got := fs.Match(topic); got != want {
			t.Errorf("match %s = %v, want %v", topic, got, want)
		}
	}
	if nave.Filters(nil).Match("cards/2") {
		t.Error("no filter matches cards/2")
	}
	if _, err := nave.ParseFilters([]string{"cards/*", "**/x"}); err == nil || !strings.Contains(err.Error(), `"**/x"`) {
		t.Errorf("the error does not name the wrong filter: %v", err)
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{"cards/*", "**", "*/a/**", "$hub/*", "a//b", "a*", "a\r\nid: 1", "\xff", "a\u2028b"} {
		f.Add(s, "cards/1")
	}
	f.Fuzz(func(t *testing.T, s, topic string) {
		filter, err := nave.ParseFilter(s)
		if err != nil {
			if nave.CodeOf(err) != nave.CodeInvalid {
				t.Errorf("code %q", nave.CodeOf(err))
			}
			return
		}
		checkClean(t, string(filter))
		asTopic, err := nave.ParseTopic(s)
		if exact, ok := filter.Exact(); ok != (err == nil) || exact != asTopic {
			t.Errorf("%q: exact %q, %v, but as a topic %q, %v", s, exact, ok, asTopic, err)
		}
		if err == nil && !filter.Match(asTopic) {
			t.Errorf("%q does not match itself", s)
		}
		if target, err := nave.ParseTopic(topic); err == nil && filter.Match(target) {
			if !strings.HasPrefix(topic, filter.Prefix()) {
				t.Errorf("%q matches %q in spite of its prefix", s, topic)
			}
		}
	})
}
