package telemetry

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"
)

func TestLogHandlerStampsTheSpan(t *testing.T) {
	const stamp = "trace_id=0af70000000000000000000000000000 span_id=b7ad000000000000"
	in := trace.ContextWithSpanContext(t.Context(), spanContext(true))
	tests := []struct {
		name string
		ctx  context.Context
		with func(*slog.Logger) *slog.Logger
		want string
	}{
		{"no span", t.Context(), func(l *slog.Logger) *slog.Logger { return l.WithGroup("g") }, "msg=hello g.n=1"},
		{"plain", in, func(l *slog.Logger) *slog.Logger { return l }, "msg=hello n=1 " + stamp},
		{"attributes", in, func(l *slog.Logger) *slog.Logger { return l.With("a", 1) }, "msg=hello a=1 n=1 " + stamp},
		{
			"inside of groups", in,
			func(l *slog.Logger) *slog.Logger { return l.With("a", 1).WithGroup("g").With("b", 2).WithGroup("h") },
			"msg=hello a=1 " + stamp + " g.b=2 g.h.n=1",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			text := slog.NewTextHandler(&out, &slog.HandlerOptions{
				ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
					if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
						return slog.Attr{}
					}
					return a
				},
			})
			tt.with(slog.New(LogHandler(text))).InfoContext(tt.ctx, "hello", "n", 1)
			if got := strings.TrimSpace(out.String()); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestLogHandlersDoNotShareGroups(t *testing.T) {
	var out bytes.Buffer
	base := slog.New(LogHandler(slog.NewTextHandler(&out, nil))).WithGroup("g").With("a", 1).With("b", 1)
	mine := base.With("mine", 1)
	_ = base.With("theirs", 1)
	mine.InfoContext(trace.ContextWithSpanContext(t.Context(), spanContext(true)), "hello")
	if got := out.String(); strings.Contains(got, "theirs") || !strings.Contains(got, "g.mine=1") {
		t.Error(got)
	}
}

// slog shares a record's attributes between its copies, and marks a breach.
func TestLogHandlerLeavesTheRecordAlone(t *testing.T) {
	var out bytes.Buffer
	h := LogHandler(slog.NewTextHandler(&out, nil))
	var r slog.Record
	for range 10 { // so many that there is room for two more
		r.AddAttrs(slog.Int("n", 1))
	}
	for range 2 {
		_ = h.Handle(trace.ContextWithSpanContext(t.Context(), spanContext(true)), r)
	}
	if strings.Contains(out.String(), "!BUG") {
		t.Error(out.String())
	}
}

func TestLogHandlerAsksTheNextForItsLevel(t *testing.T) {
	h := LogHandler(slog.NewTextHandler(&bytes.Buffer{}, nil))
	if h.Enabled(t.Context(), slog.LevelDebug) || !h.Enabled(t.Context(), slog.LevelInfo) {
		t.Error("level is not the next handler's")
	}
}
