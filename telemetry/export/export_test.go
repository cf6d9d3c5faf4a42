package export

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/telemetry"
)

var quiet = slog.New(slog.DiscardHandler)

func start(t *testing.T, o Options) *Providers {
	t.Helper()
	if o.Logger == nil {
		o.Logger = quiet
	}
	p, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Shutdown(context.Background()) })
	return p
}

// publishOne does what the hub does for one event with two clients.
func publishOne(t *testing.T, p *Providers) {
	t.Helper()
	tel, err := telemetry.New(telemetry.Config{
		TracerProvider: p.TracerProvider,
		MeterProvider:  p.MeterProvider,
		Propagator:     p.Propagator,
	})
	if err != nil {
		t.Fatal(err)
	}
	stop, err := tel.Observe(func() telemetry.Gauges { return telemetry.Gauges{} })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	r := httptest.NewRequest(http.MethodPost, "/v1/events", nil)
	ctx, server := tel.StartServer(r, "POST /v1/events")
	ctx, publish := tel.StartPublish(ctx, []nave.Event{{Topic: "cards/1", Type: "card.moved"}})
	if p.LogHandler != nil {
		slog.New(p.LogHandler).InfoContext(ctx, "published")
	}
	sc, now := publish.SpanContext(), time.Now()
	tel.Stage(sc, telemetry.SpanTopic, now, now)
	tel.Stage(sc, telemetry.SpanAppend, now, now)
	f := tel.StartFanout(sc, now)
	f.Offered(2)
	f.Dispatched()
	for range 2 {
		f.Written(now.Add(time.Millisecond))
		tel.Delivered("sse", true, 1)
		tel.Took("sse", time.Millisecond, 2*time.Millisecond)
	}
	tel.Published(nave.Durable, 1, time.Millisecond)
	publish.End()
	server.End()
}

func TestNothingIsExportedUnlessAsked(t *testing.T) {
	for _, env := range [][]string{
		nil,
		{"OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none", "OTEL_LOGS_EXPORTER=none", "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"},
		{"OTEL_METRICS_EXPORTER=prometheus"}, // without its server on port 9464
	} {
		environment(t, env...)
		p := start(t, Options{})
		if p.TracerProvider != nil || p.LogHandler != nil {
			t.Errorf("%v: traces to %v, logs to %v", env, p.TracerProvider, p.LogHandler)
		}
		if n := len(p.stops); n != 1 {
			t.Errorf("%v: %d things to stop, want the meter provider", env, n)
		}
		publishOne(t, p)
		if _, seen := scrape(t, p)["nave_delivery_duration_seconds"]; !seen {
			t.Errorf("%v: metrics cannot be scraped", env)
		}
	}
}

func TestDisabledSDK(t *testing.T) {
	environment(t, "OTEL_SDK_DISABLED=TRUE", "OTEL_TRACES_EXPORTER=console")
	p := start(t, Options{})
	if p.TracerProvider != nil || p.MeterProvider != nil || p.LogHandler != nil {
		t.Errorf("providers = %+v", p)
	}
	publishOne(t, p)
	if got := scrape(t, p); len(got) != 0 {
		t.Errorf("scrape = %v", got)
	}
}

func TestOTLP(t *testing.T) {
	c := collect(t)
	environment(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.url, "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test")
	p := start(t, Options{Service: "board", Version: "1.2.3", Instance: "hub-0"})
	publishOne(t, p)
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}

	for key, want := range map[string]string{
		"service.name": "board", "service.version": "1.2.3", "service.instance.id": "hub-0",
		"deployment.environment.name": "test", "telemetry.sdk.language": "go",
	} {
		if got := c.resource[key]; got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	for child, parent := range map[string]string{
		"publish": "POST /v1/events", "topic": "publish", "append": "publish", "fanout": "publish",
	} {
		if got, want := c.spans[child].GetParentSpanId(), c.spans[parent].GetSpanId(); len(want) == 0 || string(got) != string(want) {
			t.Errorf("%s is not a child of %s", child, parent)
		}
	}
	for _, name := range []string{"nave.delivery.duration", "nave.publish.duration", "nave.fanout.size"} {
		if c.metrics[name].GetExponentialHistogram() == nil {
			t.Errorf("%s = %v, want an exponential histogram", name, c.metrics[name])
		}
	}
	if c.metrics["go.goroutine.count"] == nil {
		t.Error("the runtime is not measured")
	}
	if len(c.logs) != 1 || string(c.logs[0].GetSpanId()) != string(c.spans["publish"].GetSpanId()) {
		t.Errorf("logs = %v", c.logs)
	}
}

func TestOTLPHistogramsMayBeExplicit(t *testing.T) {
	c := collect(t)
	environment(t, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT="+c.url+"/v1/metrics",
		"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=explicit_bucket_histogram")
	p := start(t, Options{})
	publishOne(t, p)
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p.TracerProvider != nil || len(c.spans) != 0 {
		t.Error("traces are exported, but only metrics have an endpoint")
	}
	points := c.metrics["nave.delivery.duration"].GetHistogram().GetDataPoints()
	if len(points) != 1 || len(points[0].GetExplicitBounds()) != 14 {
		t.Errorf("points = %v", points)
	}
}

func TestStartRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, env := range []string{
		"OTEL_TRACES_EXPORTER=carrier-pigeon",
		"OTEL_METRICS_EXPORTER=carrier-pigeon",
		"OTEL_LOGS_EXPORTER=carrier-pigeon",
	} {
		environment(t, env)
		if p, err := Start(t.Context(), Options{Logger: quiet}); err == nil || p != nil {
			t.Errorf("%s: got %v, %v", env, p, err)
		}
	}
	environment(t, "OTEL_METRICS_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=http/json")
	if _, err := Start(t.Context(), Options{Logger: quiet}); err == nil {
		t.Error("an unknown protocol is taken")
	}
}

func TestShutdownDoesNotWaitForADeadCollector(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-release
	}))
	defer srv.Close()
	defer close(release)
	environment(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+srv.URL)
	p := start(t, Options{})
	publishOne(t, p)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := p.Shutdown(ctx); err == nil {
		t.Error("nothing was flushed, but no error says so")
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("shutdown took %v", took)
	}
}

func TestShutdownTwice(t *testing.T) {
	environment(t)
	p := start(t, Options{})
	for range 2 {
		if err := p.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
