package export

import (
	"flag"
	"maps"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/navehub/nave"
	"github.com/navehub/nave/telemetry"
)

var update = flag.Bool("update", false, "write the golden files")

func scrape(t *testing.T, p *Providers) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(get(p, "text/plain")))
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func get(p *Providers, accept string) string {
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	p.Metrics.ServeHTTP(w, r)
	return w.Body.String()
}

// Dashboards and alerts are written against these names.
func TestScrapedNamesAreStable(t *testing.T) {
	c := collect(t)
	environment(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.url)
	p := start(t, Options{})
	useAll(t, p)

	families := scrape(t, p)
	for name := range families {
		if !strings.HasPrefix(name, "nave_") {
			delete(families, name)
		}
	}
	got := strings.Join(slices.Sorted(maps.Keys(families)), "\n") + "\n"
	const path = "testdata/prometheus.golden"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("names are not what they were. got:\n%s\nwant:\n%s", got, want)
	}
}

func useAll(t *testing.T, p *Providers) {
	t.Helper()
	publishOne(t, p)
	tel, err := telemetry.New(telemetry.Config{MeterProvider: p.MeterProvider})
	if err != nil {
		t.Fatal(err)
	}
	tel.Refused(nave.CodeBusy)
	tel.Conflicted(1)
	tel.Present(2, 1)
	tel.Received(telemetry.Receipt{Event: &nave.Event{}, Received: time.Millisecond, Rendered: time.Millisecond})
	tel.Admitted(time.Millisecond)
	tel.Appended(1, 1, time.Millisecond, time.Millisecond)
	tel.Dispatched(1, 1, time.Millisecond)
	tel.Connected("sse")
	tel.Disconnected("sse", "client", time.Minute)
	tel.TurnedAway("total")
	tel.RequestRefused(nave.CodeForbidden)
	tel.Resumed("live")
	tel.Replayed("log", 1, time.Millisecond)
	tel.ActorFailed("topic", "restart")
	tel.BreakerChanged("open")
	tel.LevelChanged(nave.LevelShed)
	stop, err := tel.Observe(func() telemetry.Gauges {
		return telemetry.Gauges{Actors: []telemetry.ActorGauges{{Kind: "topic"}}}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
}

// The same instrument is exponential where it is pushed: see TestOTLP.
func TestScrapedHistogramsHaveTheObjectiveAsABucket(t *testing.T) {
	c := collect(t)
	environment(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.url)
	p := start(t, Options{})
	publishOne(t, p)

	metric := scrape(t, p)["nave_delivery_duration_seconds"].GetMetric()[0]
	var below uint64
	for _, b := range metric.GetHistogram().GetBucket() {
		if b.GetUpperBound() == 0.1 {
			below = b.GetCumulativeCount()
		}
	}
	if below != 2 {
		t.Errorf("deliveries within 100 ms = %d, want 2", below)
	}
	if labels := metric.GetLabel(); len(labels) != 1 || labels[0].GetName() != "nave_transport" {
		t.Errorf("labels = %v", labels)
	}
}

func TestOpenMetricsHaveExemplars(t *testing.T) {
	c := collect(t)
	environment(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.url)
	p := start(t, Options{})
	publishOne(t, p)
	for line := range strings.Lines(get(p, "application/openmetrics-text; version=1.0.0")) {
		if strings.HasPrefix(line, "nave_fanout_duration_seconds_bucket") && strings.Contains(line, `trace_id="`) {
			return
		}
	}
	t.Error("no exemplar names a trace")
}

func TestScrapeHasTheRuntimeAndTheService(t *testing.T) {
	environment(t, "OTEL_SERVICE_NAME=renamed")
	p := start(t, Options{Service: "board"})
	families := scrape(t, p)
	for _, name := range []string{"go_goroutine_count", "go_memory_used_bytes", "go_schedule_duration_seconds", "target_info"} {
		if families[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	if !strings.Contains(get(p, "text/plain"), `service_name="renamed"`) {
		t.Error("OTEL_SERVICE_NAME does not count")
	}
}
