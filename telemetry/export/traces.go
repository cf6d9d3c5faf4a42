package export

import (
	"context"
	"os"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/time/rate"
)

// rootsPerSecond is how many traces a hub begins by itself: enough to see what
// it does, few enough not to be felt.
const rootsPerSecond = 10

func (p *Providers) startTraces(ctx context.Context, res *resource.Resource) error {
	if !asked("TRACES") {
		return nil
	}
	exporter, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		return err
	}
	opts := []sdktrace.TracerProviderOption{sdktrace.WithResource(res), sdktrace.WithBatcher(exporter)}
	if os.Getenv("OTEL_TRACES_SAMPLER") == "" {
		opts = append(opts, sdktrace.WithSampler(sdktrace.ParentBased(newRootLimit(rootsPerSecond))))
	}
	tp := sdktrace.NewTracerProvider(opts...)
	p.TracerProvider = tp
	p.stops = append(p.stops, tp.Shutdown)
	return nil
}

// A rootLimit samples so many traces a second, and bursts of a second's worth. It
// is for roots: it sets no trace state, since they have no parent to keep it of.
type rootLimit struct{ limiter *rate.Limiter }

func newRootLimit(perSecond int) rootLimit {
	return rootLimit{rate.NewLimiter(rate.Limit(perSecond), perSecond)}
}

func (s rootLimit) ShouldSample(sdktrace.SamplingParameters) sdktrace.SamplingResult {
	if !s.limiter.Allow() {
		return sdktrace.SamplingResult{Decision: sdktrace.Drop}
	}
	return sdktrace.SamplingResult{Decision: sdktrace.RecordAndSample}
}

func (rootLimit) Description() string { return "RootLimit" }
