package export

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
)

// shutdownLimit bounds the last flush: a collector that is down must not keep
// the hub from ending.
const shutdownLimit = 5 * time.Second

// Options describe the program. The zero Options are ready for use.
type Options struct {
	// Service and Version name the program; OTEL_SERVICE_NAME and
	// OTEL_RESOURCE_ATTRIBUTES win over them. Service defaults to "nave".
	Service, Version string
	// Instance tells hubs of one service apart, and is best the same after a
	// restart.
	//
	// Defaults to a random one.
	Instance string
	// Logger hears about exports that fail, at most once in ten seconds.
	//
	// Defaults to slog.Default().
	Logger *slog.Logger
}

// Providers are where telemetry goes.
type Providers struct {
	// TracerProvider is nil unless traces are exported.
	TracerProvider trace.TracerProvider
	// MeterProvider is nil if the SDK is disabled.
	MeterProvider metric.MeterProvider
	// Propagator is by OTEL_PROPAGATORS, and W3C trace context without it.
	Propagator propagation.TextMapPropagator
	// Metrics answers scrapes: Prometheus text, and OpenMetrics with exemplars.
	Metrics http.Handler
	// LogHandler is nil unless logs are exported.
	LogHandler slog.Handler

	stops []func(context.Context) error
}

// Start sets up what the environment asks for. End it with Shutdown.
//
// It replaces OpenTelemetry's global error handler and logger, to which the SDK
// has no alternative, and no other global.
func Start(ctx context.Context, o Options) (*Providers, error) {
	registry := prometheus.NewRegistry()
	p := &Providers{
		Propagator: autoprop.NewTextMapPropagator(propagation.TraceContext{}),
		Metrics:    scrapes(registry),
	}
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return p, nil
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	logErrors(o.Logger)

	res, err := describe(ctx, o)
	if err == nil {
		err = p.start(ctx, res, registry)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("telemetry: %w", err), p.Shutdown(ctx))
	}
	return p, nil
}

func (p *Providers) start(ctx context.Context, res *resource.Resource, registry prometheus.Registerer) error {
	if err := p.startMetrics(ctx, res, registry); err != nil {
		return err
	}
	if err := p.startTraces(ctx, res); err != nil {
		return err
	}
	return p.startLogs(ctx, res)
}

// Shutdown flushes and ends all exports, within ctx and five seconds. It may be
// called more than once.
func (p *Providers) Shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, shutdownLimit)
	defer cancel()
	stops := p.stops
	p.stops = nil
	// All at once, so that one that hangs leaves the others their time.
	errs := make(chan error, len(stops))
	for _, stop := range stops {
		go func() { errs <- stop(ctx) }()
	}
	var all error
	for range stops {
		all = errors.Join(all, <-errs)
	}
	return all
}

// asked reports whether the environment asks for a signal, such as "TRACES", to
// be exported. The SDK alone would take silence for an OTLP collector on localhost.
func asked(signal string) bool {
	if name := os.Getenv("OTEL_" + signal + "_EXPORTER"); name != "" {
		return name != "none"
	}
	return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" ||
		os.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") != ""
}
