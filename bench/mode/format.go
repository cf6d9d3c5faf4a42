//go:build linux

package mode

import (
	"fmt"
	"strconv"
	"strings"
)

// How figures are written.

func count(x float64) string { return Grouped(x) }

func decimals(n int, unit string) func(float64) string {
	return func(x float64) string { return strconv.FormatFloat(x, 'f', n, 64) + unit }
}

var (
	milliseconds = decimals(2, " ms")
	microseconds = decimals(1, " µs")
	seconds      = decimals(2, " s")
	megabytes    = decimals(1, " MB")
	kilobytes    = decimals(2, " KB")
	percent      = decimals(1, " %")
)

// Grouped writes 1234567 as 1,234,567.
func Grouped(x float64) string {
	text := strconv.FormatFloat(x, 'f', 0, 64)
	var b strings.Builder
	for i, digit := range text {
		if i > 0 && (len(text)-i)%3 == 0 && text[i-1] != '-' {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%c", digit)
	}
	return b.String()
}
