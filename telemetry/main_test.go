package telemetry

import (
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// traced is a Telemetry whose spans can be looked at once they have ended.
func traced(t testing.TB, opts ...sdktrace.TracerProviderOption) (*Telemetry, *tracetest.SpanRecorder) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(append(opts, sdktrace.WithSpanProcessor(spans))...)
	tel, err := New(Config{TracerProvider: tp})
	if err != nil {
		t.Fatal(err)
	}
	return tel, spans
}

// metered is a Telemetry and a function that collects its metrics by name.
func metered(t testing.TB, cfg Config) (*Telemetry, func() map[string]metricdata.Metrics) {
	t.Helper()
	reader := metric.NewManualReader()
	cfg.MeterProvider = metric.NewMeterProvider(metric.WithReader(reader))
	tel, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tel, func() map[string]metricdata.Metrics {
		t.Helper()
		tel.passOn() // as Observe does
		var rm metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &rm); err != nil {
			t.Fatal(err)
		}
		metrics := make(map[string]metricdata.Metrics)
		for _, scope := range rm.ScopeMetrics {
			for _, m := range scope.Metrics {
				metrics[m.Name] = m
			}
		}
		return metrics
	}
}

// A point is what all kinds of data points have in common.
type point struct {
	attrs attribute.Set
	value float64 // a histogram's is its count
}

func points(m metricdata.Metrics) (ps []point) {
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			ps = append(ps, point{p.Attributes, float64(p.Value)})
		}
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			ps = append(ps, point{p.Attributes, float64(p.Value)})
		}
	case metricdata.Gauge[float64]:
		for _, p := range data.DataPoints {
			ps = append(ps, point{p.Attributes, p.Value})
		}
	case metricdata.Histogram[int64]:
		for _, p := range data.DataPoints {
			ps = append(ps, point{p.Attributes, float64(p.Count)})
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			ps = append(ps, point{p.Attributes, float64(p.Count)})
		}
	}
	return ps
}

func attrsOf(s sdktrace.ReadOnlySpan) attribute.Set { return attribute.NewSet(s.Attributes()...) }

func number(t *testing.T, s sdktrace.ReadOnlySpan, key attribute.Key) int64 {
	t.Helper()
	set := attrsOf(s)
	v, ok := set.Value(key)
	if !ok {
		t.Fatalf("span %s has no %s", s.Name(), key)
	}
	return v.AsInt64()
}

func spanContext(sampled bool) trace.SpanContext {
	flags := trace.TraceFlags(0).WithSampled(sampled)
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{0x0a, 0xf7}, SpanID: trace.SpanID{0xb7, 0xad}, TraceFlags: flags,
	})
}
