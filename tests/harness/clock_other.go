//go:build !linux || !amd64

package harness

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// Jump would move the wall clock of the running hub. It is written for Linux on
// amd64 only.
func (p *Process) Jump(time.Duration) error {
	return fmt.Errorf("move the hub's wall clock on %s/%s: %w", runtime.GOOS, runtime.GOARCH, errors.ErrUnsupported)
}
