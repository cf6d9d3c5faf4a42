package auth

import (
	"fmt"
	"strings"
)

// list is for a sentence: "a, b or c".
func list[T ~string](words []T) string {
	var b strings.Builder
	for i, word := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(word))
	}
	return b.String()
}

func quoted(names []string) string {
	var all []string
	for _, name := range names {
		all = append(all, quote(name))
	}
	return list(all)
}

// quote is for what strangers have written: no more of it than a name would have,
// and nothing that a terminal obeys.
func quote(s string) string {
	const enough = 64
	if len(s) > enough {
		return fmt.Sprintf("%q…", s[:enough])
	}
	return fmt.Sprintf("%q", s)
}
