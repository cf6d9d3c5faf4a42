package nave

import (
	"errors"
	"fmt"
	"time"
)

// A Code says what kind of thing went wrong. The set is closed; codes are stable
// and appear in problem documents.
type Code string

const (
	// CodeInvalid: the request is wrong and will stay wrong.
	CodeInvalid Code = "invalid"
	// CodeTooLarge: a body, batch or event is over its limit in bytes.
	CodeTooLarge Code = "too-large"
	// CodeTooMany: a count, such as filters or events in a batch, is over its limit.
	CodeTooMany Code = "too-many"
	// CodeConflict: a conditional publish met another version. See [ConflictError].
	CodeConflict Code = "conflict"
	// CodePartialRepeat: some but not all events of a batch were published before.
	CodePartialRepeat Code = "partial-repeat"
	// CodeReset: the log cannot say what the cursor's owner has missed. See [ResetError].
	CodeReset Code = "reset"
	// CodeBusy: this topic or publisher is over its limit; others are not affected.
	CodeBusy Code = "busy"
	// CodeOverloaded: the hub as a whole is over its capacity.
	CodeOverloaded Code = "overloaded"
	// CodeDraining: the hub is shutting down; another or the next one will answer.
	CodeDraining Code = "draining"
	// CodeUnavailable: a dependency, such as the log's disk, does not work now.
	// What was asked may or may not have been done.
	CodeUnavailable Code = "unavailable"
	// CodeUnauthorised: there is no valid credential.
	CodeUnauthorised Code = "unauthorised"
	// CodeForbidden: the credential does not allow this.
	CodeForbidden Code = "forbidden"
	// CodeDegraded: the hub has given this up for now, to keep what is worth more.
	// See [Level].
	CodeDegraded Code = "degraded"
	// CodeNotFound: there is no such thing.
	CodeNotFound Code = "not-found"
	// CodeInternal: a defect of the hub.
	CodeInternal Code = "internal"
)

// An Error is a refusal with a code and one sentence for a person.
type Error struct {
	Code   Code
	Detail string
	// RetryAfter is when to try again; 0 when trying again is of no use, or at
	// the caller's discretion.
	RetryAfter time.Duration
	err        error
}

// Errorf makes an Error. As in fmt.Errorf, %w wraps.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	cause := errors.Unwrap(err)
	if _, several := err.(interface{ Unwrap() []error }); several {
		cause = err // it holds more than one, and errors.Is finds them through it
	}
	return &Error{Code: code, Detail: err.Error(), err: cause}
}

// After sets RetryAfter and returns the error.
func (e *Error) After(d time.Duration) *Error {
	e.RetryAfter = d
	return e
}

func (e *Error) Error() string { return e.Detail }

func (e *Error) code() Code { return e.Code }

// Unwrap gives the cause, if there is one.
func (e *Error) Unwrap() error { return e.err }

// CodeOf is the code of err, or else of the nearest error that it wraps:
// [CodeInternal] if none has one, and "" for nil.
func CodeOf(err error) Code {
	var coded interface {
		error
		code() Code
	}
	switch {
	case err == nil:
		return ""
	case errors.As(err, &coded):
		return coded.code()
	default:
		return CodeInternal
	}
}

// A Conflict is one condition that did not hold.
type Conflict struct {
	Topic     Topic
	Key       string
	IfVersion uint64
	// Version is the key's version now, 0 if it has none.
	Version uint64
	// Event is the event that made Version; nil if there is none.
	Event *Event
}

// ConflictError refuses a conditional publish. Nothing of the batch was stored.
type ConflictError struct{ Conflicts []Conflict }

func (e *ConflictError) Error() string {
	if len(e.Conflicts) == 0 {
		return "a condition does not hold"
	}
	c := e.Conflicts[0]
	text := fmt.Sprintf("%s in %s has version %d, not %d", c.Key, c.Topic, c.Version, c.IfVersion)
	if more := len(e.Conflicts) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

func (*ConflictError) code() Code { return CodeConflict }

// A ResetReason says why a cursor cannot be resumed from.
type ResetReason string

const (
	// ResetMalformed: the cursor cannot be read.
	ResetMalformed ResetReason = "malformed"
	// ResetForeignEpoch: the cursor belongs to another log.
	ResetForeignEpoch ResetReason = "foreign-epoch"
	// ResetAhead: the cursor is past the end of the log.
	ResetAhead ResetReason = "ahead"
	// ResetRetention: events since the cursor have passed out of retention.
	ResetRetention ResetReason = "retention"
	// ResetDamaged: events since the cursor are stored, but cannot be read.
	ResetDamaged ResetReason = "damaged"
	// ResetDegraded: events since the cursor are so many that the hub has given up
	// replaying them for now. See [LongReplays].
	ResetDegraded ResetReason = "degraded"
)

// ResetError says that the owner of a cursor has to fetch anew.
type ResetError struct{ Reason ResetReason }

func (e *ResetError) Error() string {
	return "the log cannot be resumed from this cursor: " + string(e.Reason)
}

func (*ResetError) code() Code { return CodeReset }

// DegradedError refuses what the hub has given up for now. Trying again makes sense
// once the level has changed.
type DegradedError struct {
	Level   Level
	Feature Feature
}

func (e *DegradedError) Error() string {
	return fmt.Sprintf("there are no %s for now: the hub's level is %s", e.Feature, e.Level)
}

func (*DegradedError) code() Code { return CodeDegraded }
