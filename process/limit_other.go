//go:build !unix

package process

import "math"

// FileLimit is how many files the process may have open: not a small number.
func FileLimit() int { return math.MaxInt32 }
