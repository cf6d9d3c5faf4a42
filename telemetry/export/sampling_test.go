package export

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"
)

func parent(flags trace.TraceFlags) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: flags})
}

// sampled starts n spans and counts those that are sampled.
func sampled(tp trace.TracerProvider, parent trace.SpanContext, n int) (count int) {
	for range n {
		ctx := trace.ContextWithRemoteSpanContext(context.Background(), parent)
		_, span := tp.Tracer("test").Start(ctx, "test")
		if span.SpanContext().IsSampled() {
			count++
		}
		span.End()
	}
	return count
}

func TestRootsAreLimitedAndParentsDecide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.ParentBased(newRootLimit(10))))
		if n := sampled(tp, trace.SpanContext{}, 1000); n != 10 {
			t.Errorf("roots at once = %d, want 10", n)
		}
		time.Sleep(500 * time.Millisecond) // fake
		if n := sampled(tp, trace.SpanContext{}, 1000); n != 5 {
			t.Errorf("roots after half a second = %d, want 5", n)
		}
		if n := sampled(tp, parent(trace.FlagsSampled), 1000); n != 1000 {
			t.Errorf("of a sampled caller = %d, want all", n)
		}
		if n := sampled(tp, parent(0), 1000); n != 0 {
			t.Errorf("of an unsampled caller = %d, want none", n)
		}
	})
}

func TestTheEnvironmentChoosesTheSampler(t *testing.T) {
	c := collect(t)
	environment(t, "OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_ENDPOINT="+c.url, "OTEL_TRACES_SAMPLER=always_on")
	if n := sampled(start(t, Options{}).TracerProvider, trace.SpanContext{}, 100); n != 100 {
		t.Errorf("sampled = %d, want all", n)
	}
	t.Setenv("OTEL_TRACES_SAMPLER", "")
	if n := sampled(start(t, Options{}).TracerProvider, trace.SpanContext{}, 100); n < 10 || n > 20 {
		t.Errorf("sampled = %d, want about 10", n)
	}
}

func TestErrorsAreLoggedOnceInAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := &errorLog{logger: slog.New(slog.NewTextHandler(&out, nil)), sometimes: rate.Sometimes{Interval: 10 * time.Second}}
		for range 3 {
			l.Handle(errors.New("collector is down"))
		}
		time.Sleep(11 * time.Second) // fake
		l.Handle(errors.New("collector is down"))
		if got := strings.Count(out.String(), "collector is down"); got != 2 {
			t.Errorf("lines = %d, want 2", got)
		}
		if !strings.Contains(out.String(), "errors=3") {
			t.Errorf("the second line does not count the others: %s", out.String())
		}
	})
}
