package export

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
)

func (p *Providers) startMetrics(ctx context.Context, res *resource.Resource, registry prometheus.Registerer) error {
	scraped, err := otelprom.New(
		otelprom.WithRegisterer(registry),
		otelprom.WithoutScopeInfo(),
		otelprom.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes),
		otelprom.WithProducer(runtime.NewProducer()), // scheduling latency
	)
	if err != nil {
		return err
	}
	opts := []sdkmetric.Option{sdkmetric.WithResource(res), sdkmetric.WithReader(scraped)}
	pushed, err := pushReader(ctx)
	if err != nil {
		return err
	}
	if pushed != nil {
		opts = append(opts, sdkmetric.WithReader(pushed))
	}
	mp := sdkmetric.NewMeterProvider(opts...)
	p.MeterProvider = mp
	p.stops = append(p.stops, mp.Shutdown)
	return runtime.Start(runtime.WithMeterProvider(mp))
}

func scrapes(registry *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// pushReader is nil unless metrics are to be pushed. "prometheus" means that they
// are to be scraped, which they are anyway: the SDK's own server is not needed.
func pushReader(ctx context.Context) (sdkmetric.Reader, error) {
	name := os.Getenv("OTEL_METRICS_EXPORTER")
	switch {
	case !asked("METRICS"), name == "prometheus":
		return nil, nil
	case name != "" && name != "otlp":
		return autoexport.NewMetricReader(ctx)
	}
	exporter, err := otlpExporter(ctx)
	if err != nil {
		return nil, err
	}
	return sdkmetric.NewPeriodicReader(exporter), nil
}

// otlpExporter is autoexport's, but for the histograms, which it does not let
// one choose.
func otlpExporter(ctx context.Context) (sdkmetric.Exporter, error) {
	protocol := cmp.Or(
		os.Getenv("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"),
		os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"),
		"http/protobuf")
	switch protocol {
	case "http/protobuf":
		return otlpmetrichttp.New(ctx, otlpmetrichttp.WithAggregationSelector(aggregation))
	case "grpc":
		return otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithAggregationSelector(aggregation))
	default:
		return nil, fmt.Errorf("OTLP protocol %q is unknown: use grpc or http/protobuf", protocol)
	}
}

// aggregation makes histograms exponential. It is the reader's choice and not a
// view's, because a view would take the buckets from scrapes too.
func aggregation(kind sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	chosen := os.Getenv("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION")
	if kind != sdkmetric.InstrumentKindHistogram || chosen == "explicit_bucket_histogram" {
		return sdkmetric.DefaultAggregationSelector(kind)
	}
	return sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 20}
}
