// Package typo finds the word that was meant by one that does not exist.
package typo

import "strings"

// longest is the length, in bytes, beyond which a word is no typing mistake, and
// not worth the time.
const longest = 64

// Nearest is the word that s is a typing mistake of, the first if several are as
// near, or "". Case makes no difference.
func Nearest(s string, words []string) string {
	if len(s) > longest {
		return ""
	}
	found, least := "", Tolerance(s)+1
	for _, w := range words {
		if d := Distance(strings.ToLower(s), strings.ToLower(w)); d < least {
			found, least = w, d
		}
	}
	return found
}

// Tolerance is how many wrong letters still make a typing mistake of a word.
func Tolerance(s string) int { return 1 + len(s)/4 }

// Distance is the number of letters to add, drop or change to make b of a, after
// Levenshtein.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
