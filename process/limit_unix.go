//go:build unix

package process

import (
	"math"

	"golang.org/x/sys/unix"
)

// FileLimit is how many files the process may have open.
func FileLimit() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > math.MaxInt32 {
		return math.MaxInt32
	}
	return int(limit.Cur)
}
