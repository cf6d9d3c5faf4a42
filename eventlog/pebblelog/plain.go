package pebblelog

import "strings"

// A plainError is the first line of a text about its cause. What Pebble adds in
// further lines, stack traces and all, is not for who runs a hub.
type plainError struct {
	text  string
	cause error
}

func oneLine(err error) error { return plainError{err.Error(), err} }

func (e plainError) Error() string {
	first, _, _ := strings.Cut(e.text, "\n")
	return first
}

func (e plainError) Unwrap() error { return e.cause }
