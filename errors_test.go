package nave_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/navehub/nave"
)

func TestCodeOf(t *testing.T) {
	busy := nave.Errorf(nave.CodeBusy, "cards/1 is over its rate")
	conflict := &nave.ConflictError{Conflicts: []nave.Conflict{{Topic: "cards/1", Key: "k", IfVersion: 1, Version: 2}}}
	reset := &nave.ResetError{Reason: nave.ResetRetention}
	for _, tt := range []struct {
		name string
		err  error
		want nave.Code
	}{
		{"nil", nil, ""},
		{"foreign", io.EOF, nave.CodeInternal},
		{"foreign, wrapped", fmt.Errorf("read: %w", io.EOF), nave.CodeInternal},
		{"plain", busy, nave.CodeBusy},
		{"wrapped", fmt.Errorf("publish: %w", busy), nave.CodeBusy},
		{"wrapped twice", fmt.Errorf("a: %w", fmt.Errorf("b: %w", busy)), nave.CodeBusy},
		{"joined", errors.Join(io.EOF, busy), nave.CodeBusy},
		{"conflict", fmt.Errorf("publish: %w", conflict), nave.CodeConflict},
		{"reset", fmt.Errorf("resume: %w", reset), nave.CodeReset},
		{"the outer code wins", nave.Errorf(nave.CodeUnavailable, "log: %w", busy), nave.CodeUnavailable},
		{"also over a conflict", nave.Errorf(nave.CodeUnavailable, "log: %w", conflict), nave.CodeUnavailable},
		{"also over a reset", nave.Errorf(nave.CodeUnavailable, "log: %w", reset), nave.CodeUnavailable},
		{"one of several", fmt.Errorf("%w and %w", io.EOF, reset), nave.CodeReset},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := nave.CodeOf(tt.err); got != tt.want {
				t.Errorf("code %q, want %q", got, tt.want)
			}
		})
	}
}

func TestErrorfWraps(t *testing.T) {
	one := nave.Errorf(nave.CodeUnavailable, "append: %w", io.ErrShortWrite)
	if errors.Unwrap(one) != io.ErrShortWrite || one.Error() != "append: short write" {
		t.Errorf("%v wraps %v", one, errors.Unwrap(one))
	}
	two := nave.Errorf(nave.CodeUnavailable, "append: %w, then close: %w", io.ErrShortWrite, io.ErrClosedPipe)
	if !errors.Is(two, io.ErrShortWrite) || !errors.Is(two, io.ErrClosedPipe) {
		t.Errorf("%v lost one of its causes", two)
	}
	none := nave.Errorf(nave.CodeInvalid, "key is missing")
	if errors.Unwrap(none) != nil {
		t.Errorf("%v has a cause: %v", none, errors.Unwrap(none))
	}
}

func TestErrorAfter(t *testing.T) {
	err := fmt.Errorf("publish: %w", nave.Errorf(nave.CodeBusy, "slow down").After(time.Second))
	var refusal *nave.Error
	if !errors.As(err, &refusal) || refusal.RetryAfter != time.Second || refusal.Detail != "slow down" {
		t.Errorf("%v is read as %+v", err, refusal)
	}
}

func TestConflictError(t *testing.T) {
	c := nave.Conflict{Topic: "cards/1", Key: "card-42", IfVersion: 7, Version: 9}
	for want, conflicts := range map[string][]nave.Conflict{
		"card-42 in cards/1 has version 9, not 7":              {c},
		"card-42 in cards/1 has version 9, not 7 (and 2 more)": {c, c, c},
		"a condition does not hold":                            nil,
	} {
		err := &nave.ConflictError{Conflicts: conflicts}
		if err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
}
