package store

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

var (
	// ErrNotFound says that there is no such thing, and never was.
	ErrNotFound = errors.New("there is none of that id")
	// ErrGone says that it has been deleted.
	ErrGone = errors.New("it has been deleted")
	// ErrFull says that the outbox has no room for another change before the hub has
	// taken some.
	ErrFull = errors.New("too much waits to be announced")
)

// IsDisk reports whether the disk is the reason: it is full, cannot be written, or fails.
func IsDisk(err error) bool {
	var of *sqlite.Error
	if !errors.As(err, &of) {
		return false
	}
	switch of.Code() & 0xff { // the rest is detail: https://sqlite.org/rescode.html#pve
	case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN:
		return true
	}
	return false
}

// A ConflictError refuses a change of a card that has changed since.
type ConflictError struct{ Current Card }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s has rev %d: %s has changed it since", e.Current.ID, e.Current.Rev, e.Current.UpdatedBy)
}

// An InvalidError refuses what will never do.
type InvalidError struct{ Detail string }

func (e *InvalidError) Error() string { return e.Detail }

func invalid(format string, args ...any) error { return &InvalidError{fmt.Sprintf(format, args...)} }

// Bounds, in characters.
const (
	maxTitle   = 200
	maxText    = 10_000
	maxMessage = 4_000
	maxStatus  = 100
)

// identifier is what does as an id: it becomes the key of events.
var identifier = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func checkID(id string) error {
	if !identifier.MatchString(id) {
		return invalid("id: %q is none: 1 to 64 letters, digits, - and _", id)
	}
	return nil
}

// checkText is checkLength of what is to be seen.
func checkText(what, text string, most int) error {
	if strings.TrimSpace(text) == "" {
		return invalid("%s: there is nothing to be seen in it", what)
	}
	return checkLength(what, text, 1, most)
}

func checkLength(what, text string, least, most int) error {
	if n := utf8.RuneCountInString(text); n < least || n > most {
		return invalid("%s: it has %d characters; %d to %d are possible", what, n, least, most)
	}
	return nil
}
