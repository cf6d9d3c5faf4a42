package telemetry

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// Config says where traces and metrics go. With the zero Config they go nowhere.
type Config struct {
	// TracerProvider makes the spans. Nil means none: then a caller's sampled
	// context still travels with its events.
	TracerProvider trace.TracerProvider
	// MeterProvider makes the instruments. Nil means none.
	MeterProvider metric.MeterProvider
	// Propagator reads the caller's context from a request.
	//
	// Defaults to propagation.TraceContext{}.
	Propagator propagation.TextMapPropagator
	// ActorKinds are kinds of actors to tell apart beyond the hub's own. At most
	// 24 are used, so that metrics stay bounded.
	ActorKinds []string
	// Classes are classes of topics to tell apart, by the filters of their rules. At most
	// 64 are used.
	Classes []string
}

// Telemetry records what the hub does. Make one with [New] or [Disabled].
type Telemetry struct {
	tracing    bool // whether spans can go anywhere
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator

	meter  metric.Meter
	kinds  choice
	tables tables
	instruments
	delivered []atomic.Int64 // by place in tables.delivery
	passing   sync.Mutex     // held while it is passed on
	passed    []int64        // of what was delivered
	counted   counted
}

// New makes the instruments. It fails only if a provider refuses one.
func New(cfg Config) (*Telemetry, error) {
	t := &Telemetry{propagator: cfg.Propagator, kinds: kindChoice(cfg.ActorKinds)}
	if t.propagator == nil {
		t.propagator = propagation.TraceContext{}
	}

	tracers := cfg.TracerProvider
	if tracers == nil {
		tracers = tracenoop.NewTracerProvider()
	}
	_, nowhere := tracers.(tracenoop.TracerProvider)
	t.tracing = !nowhere
	t.tracer = tracers.Tracer(Scope, trace.WithSchemaURL(semconv.SchemaURL))

	meters := cfg.MeterProvider
	if meters == nil {
		meters = metricnoop.NewMeterProvider()
	}
	t.meter = meters.Meter(Scope, metric.WithSchemaURL(semconv.SchemaURL))
	t.tables = newTables(t.kinds, classChoice(cfg.Classes))
	t.delivered = make([]atomic.Int64, len(t.tables.delivery.labels))
	t.passed = make([]int64, len(t.delivered))
	var err error
	if t.instruments, err = newInstruments(t.meter); err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	return t, nil
}

// Disabled records nothing.
func Disabled() *Telemetry {
	t, err := New(Config{})
	if err != nil {
		panic(err) // no-op providers refuse nothing
	}
	return t
}

func classChoice(all []string) choice {
	const limit = 64
	return newChoice(AttrTopicClass, all[:min(len(all), limit)]...)
}

func kindChoice(more []string) choice {
	const limit = 24
	return newChoice(AttrActorKind, slices.Concat(actorKinds, more[:min(len(more), limit)])...)
}
