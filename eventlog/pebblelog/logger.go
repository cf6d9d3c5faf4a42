package pebblelog

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
)

// A logger takes what Pebble says to slog. What Pebble takes for the end of the
// process is only the end of the log.
type logger struct {
	slog  *slog.Logger
	fault *fault
}

var _ pebble.Logger = logger{}

func (l logger) Infof(format string, args ...any)  { l.log(slog.LevelDebug, format, args...) }
func (l logger) Errorf(format string, args ...any) { l.log(slog.LevelWarn, format, args...) }

// Fatalf returns, though Pebble does not expect it to. All that Pebble does
// from then on is in vain: see failStop.
func (l logger) Fatalf(format string, args ...any) {
	if l.fault.err() == nil {
		l.log(slog.LevelError, format, args...)
	}
	l.fault.set(plainError{fmt.Sprintf(format, args...), causeIn(args)})
}

// causeIn finds the error that Pebble speaks of, nil if there is none.
func causeIn(args []any) error {
	for _, arg := range args {
		if err, ok := arg.(error); ok {
			return err
		}
	}
	return nil
}

// log is quiet after a fault: what follows follows from it.
func (l logger) log(level slog.Level, format string, args ...any) {
	if l.fault.err() != nil {
		level = slog.LevelDebug
	}
	if ctx := context.Background(); l.slog.Enabled(ctx, level) {
		l.slog.Log(ctx, level, "pebble: "+fmt.Sprintf(format, args...))
	}
}
