package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/navehub/nave"
)

// w3c is a trace context as an event carries it, whatever format requests use.
type w3c struct{ parent, state string }

const (
	traceParent = "traceparent"
	traceState  = "tracestate"

	// traceStateBytes is what W3C Trace Context asks everybody to pass on, at least.
	traceStateBytes = 512

	traceParentBytes = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
)

func (c *w3c) Get(key string) string {
	switch key {
	case traceParent:
		return c.parent
	case traceState:
		return c.state
	default:
		return ""
	}
}

func (c *w3c) Set(key, value string) {
	switch key {
	case traceParent:
		c.parent = value
	case traceState:
		c.state = value
	}
}

func (*w3c) Keys() []string { return []string{traceParent, traceState} }

func format(sc trace.SpanContext) w3c {
	var c w3c
	propagation.TraceContext{}.Inject(trace.ContextWithSpanContext(background, sc), &c)
	return c
}

func parse(parent, state string) trace.SpanContext {
	ctx := propagation.TraceContext{}.Extract(background, &w3c{parent, state})
	return trace.SpanContextFromContext(ctx)
}

// creation cleans the event's trace context and returns it: what is malformed is
// dropped, and a version to come is written as version 00, since what it may
// append is not known to be short or harmless.
func creation(e *nave.Event) trace.SpanContext {
	if e.TraceParent == "" {
		e.TraceState = ""
		return trace.SpanContext{}
	}
	sc := parse(e.TraceParent, e.TraceState)
	if !sc.IsValid() {
		e.TraceParent, e.TraceState = "", ""
		return sc
	}
	if len(e.TraceParent) != traceParentBytes {
		e.TraceParent = format(sc).parent
	}
	if sc.TraceState().Len() == 0 {
		e.TraceState = ""
	}
	return sc
}

// A hop is the remote parent of a request. It is kept in the request's context,
// because from a server span one cannot tell its parent.
type hopKey struct{}

func withHop(ctx context.Context, sc trace.SpanContext) context.Context {
	return context.WithValue(ctx, hopKey{}, sc)
}

func hop(ctx context.Context) trace.SpanContext {
	if sc := trace.SpanContextFromContext(ctx); sc.IsRemote() {
		return sc
	}
	sc, _ := ctx.Value(hopKey{}).(trace.SpanContext)
	return sc
}
