package typo

import (
	"slices"
	"strings"
	"testing"
)

// FuzzNearest: distances are distances, and what is found is one of the words,
// near enough, with no other nearer.
func FuzzNearest(f *testing.F) {
	for _, s := range []string{"topik", "TYPE", "", "\x00\xff", "ıfVersion", "ﬁlter", strings.Repeat("x", 65), strings.Repeat("y", 10_000), "K", "ſ", "a,b", "tоpic"} {
		f.Add(s, "topic,type,ifVersion,data", "other")
	}
	f.Fuzz(func(t *testing.T, s, list, other string) {
		if len(list) > 2000 || len(other) > 2000 {
			return
		}
		words := strings.Split(list, ",")
		found := Nearest(s, words)
		if found != "" && !slices.Contains(words, found) {
			t.Fatalf("%q is said to mean %q, which is none of %q", s, found, words)
		}
		if len(s) > longest {
			return
		}
		lower := strings.ToLower(s)
		least := Tolerance(s) + 1
		for _, w := range words {
			least = min(least, Distance(lower, strings.ToLower(w)))
		}
		if found != "" && Distance(lower, strings.ToLower(found)) != least || found == "" && least <= Tolerance(s) && !slices.Contains(words, "") {
			t.Errorf("%q is said to mean %q, but there is a word at distance %d in %q", s, found, least, words)
		}
		checkDistance(t, s, words[0], other)
	})
}

func checkDistance(t *testing.T, a, b, c string) {
	t.Helper()
	d := Distance(a, b)
	switch {
	case (d == 0) != (a == b):
		t.Errorf("distance of %q and %q is %d", a, b, d)
	case d != Distance(b, a):
		t.Errorf("from %q to %q it is not as far as back", a, b)
	case d > max(len(a), len(b)) || d < max(len(a)-len(b), len(b)-len(a)):
		t.Errorf("distance of %q and %q is %d: out of bounds", a, b, d)
	case len(c) <= longest && Distance(a, c) > d+Distance(b, c):
		t.Errorf("%q is farther from %q than by way of %q", c, a, b)
	}
}
