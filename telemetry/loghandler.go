package telemetry

import (
	"context"
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel/trace"
)

// LogHandler stamps every record whose context has a span with trace_id and
// span_id, at the top level even inside of groups.
func LogHandler(next slog.Handler) slog.Handler {
	return &logHandler{root: next, next: next}
}

type logHandler struct {
	// root is next before its first group, and redo makes next from it again:
	// whatever is added to a handler with an open group ends up in that group.
	root, next slog.Handler
	redo       []func(slog.Handler) slog.Handler
}

func (h *logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	sc := trace.SpanContextFromContext(ctx)
	if !sc.IsValid() {
		return h.next.Handle(ctx, r)
	}
	ids := []slog.Attr{
		slog.String("trace_id", sc.TraceID().String()),
		slog.String("span_id", sc.SpanID().String()),
	}
	if len(h.redo) == 0 {
		r = r.Clone() // a record's attributes are shared with its copies
		r.AddAttrs(ids...)
		return h.next.Handle(ctx, r)
	}
	next := h.root.WithAttrs(ids)
	for _, again := range h.redo {
		next = again(next)
	}
	return next.Handle(ctx, r)
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := h.next.WithAttrs(attrs)
	if len(h.redo) == 0 {
		return LogHandler(next)
	}
	return h.then(next, func(n slog.Handler) slog.Handler { return n.WithAttrs(attrs) })
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.then(h.next.WithGroup(name), func(n slog.Handler) slog.Handler { return n.WithGroup(name) })
}

func (h *logHandler) then(next slog.Handler, again func(slog.Handler) slog.Handler) slog.Handler {
	redo := append(slices.Clip(h.redo), again)
	return &logHandler{root: h.root, next: next, redo: redo}
}
