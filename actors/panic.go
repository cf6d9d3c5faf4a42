package actors

import (
	"fmt"
	"runtime/debug"
)

// A PanicError is what a [Failable] message is failed with when its handler
// panicked.
type PanicError struct {
	Reason any
	Stack  []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("actor panicked: %v", e.Reason) }

// Unwrap gives the reason, if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Reason.(error)
	return err
}

// contain calls f and returns its panic.
func contain(f func()) (err *PanicError) {
	defer func() {
		if r := recover(); r != nil {
			err = &PanicError{r, debug.Stack()}
		}
	}()
	f()
	return nil
}
