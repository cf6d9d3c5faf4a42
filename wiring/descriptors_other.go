//go:build !unix

package wiring

import "math"

// descriptors is how many files the process may have open: not a small number.
func descriptors() int { return math.MaxInt32 }
