package telemetry

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/navehub/nave"
)

// StartServer starts the span of a request, named by method and route as in
// "POST /v1/events". Its parent is the span that middleware has begun, or else
// the one that the headers name. The caller ends it; for a stream, once it is live.
func (t *Telemetry) StartServer(r *http.Request, name string) (context.Context, trace.Span) {
	ctx := r.Context()
	extracted := t.propagator.Extract(ctx, header(r.Header))
	if !trace.SpanContextFromContext(ctx).IsValid() {
		ctx = extracted
	}
	if !t.tracing {
		return passOn(ctx)
	}
	if remote := trace.SpanContextFromContext(extracted); remote.IsRemote() {
		ctx = withHop(ctx, remote)
	}
	return t.tracer.Start(ctx, name, asServer, trace.WithAttributes(requestAttributes(r, name)...))
}

// StartPublish starts the span in which events are published. The caller ends it.
//
// Each event keeps the context that it was created in. If it has none and the
// span is sampled, it gets the caller's, or else this span's, which makes the hub
// the producer.
func (t *Telemetry) StartPublish(ctx context.Context, events []nave.Event) (context.Context, trace.Span) {
	origin, missing := creations(events)
	parent, remote := trace.SpanContextFromContext(ctx), hop(ctx)
	var span trace.Span
	if !t.tracing {
		ctx, span = passOn(ctx)
	} else {
		opts := make([]trace.SpanStartOption, 0, 3)
		opts = append(opts, trace.WithAttributes(publishAttributes(events)...))
		if missing > 0 && !remote.IsValid() {
			opts = append(opts, asProducer)
		}
		if origin.IsValid() && origin.TraceID() != parent.TraceID() {
			opts = append(opts, trace.WithLinks(trace.Link{SpanContext: origin}))
		}
		ctx, span = t.tracer.Start(ctx, SpanPublish, opts...)
	}
	if sc := span.SpanContext(); missing > 0 && sc.IsSampled() {
		if remote.IsValid() {
			sc = remote
		}
		fill(events, format(sc))
	}
	return ctx, span
}

// Stage tells of a stage that is over, as a child of sc. It does nothing if sc is
// not sampled.
func (t *Telemetry) Stage(sc trace.SpanContext, name string, start, end time.Time, attrs ...attribute.KeyValue) {
	if !t.tracing || !sc.IsSampled() {
		return
	}
	// A copy, so that the caller's attributes need no heap when nothing is sampled.
	kept := append([]attribute.KeyValue(nil), attrs...)
	_, span := t.tracer.Start(trace.ContextWithSpanContext(background, sc), name,
		trace.WithTimestamp(start), trace.WithAttributes(kept...))
	span.End(trace.WithTimestamp(end))
}

var (
	asServer   = trace.WithSpanKind(trace.SpanKindServer)
	asProducer = trace.WithSpanKind(trace.SpanKindProducer)
)

// passOn gives the span of ctx to someone who will end it, although it is not
// theirs to end: so it is made one that records nothing.
func passOn(ctx context.Context) (context.Context, trace.Span) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return ctx, span
	}
	ctx = trace.ContextWithSpanContext(ctx, span.SpanContext())
	return ctx, trace.SpanFromContext(ctx)
}

// creations cleans the trace context of every event. It returns the first that
// there is, and how many events have none.
func creations(events []nave.Event) (first trace.SpanContext, missing int) {
	for i := range events {
		sc := creation(&events[i])
		switch {
		case !sc.IsValid():
			missing++
		case !first.IsValid():
			first = sc
		}
	}
	return first, missing
}

// fill gives every event without one the context c. Each of them keeps a copy of it,
// so that of a long state many events would make something much longer.
func fill(events []nave.Event, c w3c) {
	if len(c.state) > traceStateBytes {
		c.state = ""
	}
	for i := range events {
		if e := &events[i]; e.TraceParent == "" {
			e.TraceParent, e.TraceState = c.parent, c.state
		}
	}
}
