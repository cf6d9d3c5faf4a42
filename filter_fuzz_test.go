package nave_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/navehub/nave"
)

// FuzzMatch: a filter matches as its definition says, segment by segment, and an
// index of many filters finds exactly those that match.
func FuzzMatch(f *testing.F) {
	for _, topic := range []string{"a", "a/b", "a/b/c", "$hub/a", "$", "..", "a/../b", "%2F", "A", "\u00e9", "e\u0301", strings.Repeat("a/", 127) + "a"} {
		f.Add(topic, "a/*", "**", "*/b/**")
		f.Add(topic, "$hub/**", "*", strings.Repeat("*/", 127)+"*")
		f.Add(topic, topic, topic+"/**", "*/"+topic)
	}
	f.Fuzz(func(t *testing.T, topic, first, second, third string) {
		at, err := nave.ParseTopic(topic)
		if err != nil {
			return
		}
		var index nave.Index[int]
		var want []int
		for i, text := range []string{first, second, third} {
			filter, err := nave.ParseFilter(text)
			if err != nil {
				continue
			}
			index.Add(filter, i)
			matches := matchSegments(strings.Split(text, "/"), strings.Split(topic, "/"))
			if filter.Match(at) != matches {
				t.Errorf("%q matches %q: %v, want %v", text, topic, !matches, matches)
			}
			if matches {
				want = append(want, i)
			}
		}
		var got []int
		index.Match(at, func(i int) { got = append(got, i) })
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("of %q, %q, %q an index finds %v for %q, want %v", first, second, third, got, topic, want)
		}
	})
}

// matchSegments is the definition.
func matchSegments(filter, topic []string) bool {
	if strings.HasPrefix(topic[0], "$") && strings.HasPrefix(filter[0], "*") {
		return false
	}
	for i, segment := range filter {
		switch {
		case i == len(topic):
			return false
		case segment == "**":
			return true
		case segment != "*" && segment != topic[i]:
			return false
		}
	}
	return len(filter) == len(topic)
}
