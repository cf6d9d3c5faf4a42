package grafana

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
	"github.com/navehub/nave/httpapi"
	"github.com/navehub/nave/telemetry"
	"github.com/navehub/nave/telemetry/export"
)

// exportedByAHub runs a hub in RAM, uses it, and scrapes it.
func exportedByAHub(t *testing.T) exported {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	p, err := export.Start(t.Context(), export.Options{Version: "test", Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Shutdown(context.Background())
	// Traces, since sampled events alone have a fan-out.
	tel, err := telemetry.New(telemetry.Config{MeterProvider: p.MeterProvider, TracerProvider: sdktrace.NewTracerProvider()})
	if err != nil {
		t.Fatal(err)
	}
	h := hub.New(hub.Config{Authority: auth.Open(), Telemetry: tel, Logger: logger}, memlog.Opener(eventlog.Options{}))
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer h.Shutdown(context.Background())
	server := httptest.NewServer(httpapi.New(httpapi.Config{
		Hub: h, Telemetry: tel, Logger: logger, Metrics: p.Metrics,
	}))
	defer server.Close()

	useHub(t, server.URL+"/v1/events")
	haveTrouble(tel)
	x := parse(t, get(t, server.URL+"/metrics"))
	for _, m := range x { // which Prometheus adds
		m.labels["job"], m.labels["instance"] = nil, nil
	}
	x["up"] = &metric{family: "up", labels: map[string]map[string]bool{"job": nil, "instance": nil}}

	// Else what was not scraped would have no panel, and nobody would notice.
	if want := strings.Fields(string(read(t, "../../telemetry/export/testdata/prometheus.golden"))); !slices.Equal(x.families(), want) {
		t.Fatalf("the hub exports\n%s\nwhile prometheus.golden has\n%s", x.families(), want)
	}
	return x
}

// useHub has one client come, get an event and go, and another poll.
func useHub(t *testing.T, url string) {
	t.Helper()
	resp, err := http.Get(url + "?topic=**")
	if err != nil {
		t.Fatal(err)
	}
	publish(t, url, `{"topic":"cards/1","type":"card.moved"}`, http.StatusOK, http.StatusCreated)
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() && !strings.Contains(lines.Text(), "card.moved") {
	}
	resp.Body.Close()
	publish(t, url, `{"topic":"cards/**","type":"card.moved"}`, http.StatusBadRequest)
	get(t, url+"?topic=**")
}

func publish(t *testing.T, url, event string, want ...int) {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(event))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if !slices.Contains(want, resp.StatusCode) {
		t.Fatalf("publishing %s: %s", event, resp.Status)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/plain, application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v: %.300s", url, resp.Status, err, body)
	}
	return string(body)
}

// haveTrouble tells the hub's telemetry what takes a disk, a limit or a defect to
// come about. A value that is not of the catalogue becomes _OTHER.
func haveTrouble(tel *telemetry.Telemetry) {
	for _, code := range []nave.Code{
		nave.CodeInvalid, nave.CodeTooLarge, nave.CodeTooMany, nave.CodeConflict, nave.CodePartialRepeat,
		nave.CodeReset, nave.CodeBusy, nave.CodeOverloaded, nave.CodeDraining, nave.CodeUnavailable,
		nave.CodeUnauthorised, nave.CodeForbidden, nave.CodeDegraded, nave.CodeNotFound, nave.CodeInternal,
	} {
		tel.Refused(code)
		tel.RequestRefused(code)
	}
	tel.Conflicted(1)
	tel.Disconnected("sse", "too slow", time.Minute)
	tel.TurnedAway(telemetry.RefusalTotal)
	tel.TurnedAway(telemetry.RefusalAddress)
	tel.Resumed(string(nave.ResetRetention))
	tel.Resumed(string(nave.ResetDamaged))
	tel.Resumed(string(nave.ResetDegraded))
	tel.Replayed("log", 1, time.Millisecond)
	tel.ActorFailed("journal", "restart")
	tel.ActorFailed("journal", "escalate")
	tel.BreakerChanged("open")
	tel.LevelChanged(nave.LevelPolling)
	tel.Received(telemetry.Receipt{Event: &nave.Event{}, Received: time.Millisecond, Rendered: time.Millisecond})
	tel.Present(1, 1)
	// These are the hub's own, which it tells of after its client has read the event.
	tel.Dispatched(1, 1, time.Millisecond)
	tel.Delivered("sse", true, 1)
	tel.Took("sse", time.Millisecond, time.Millisecond)
	f := tel.StartFanout(trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled,
	}), time.Now())
	f.Offered(1)
	f.Dispatched()
	f.Written(time.Now())
}

func parse(t *testing.T, page string) exported {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	x := exported{}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			if m.Histogram == nil {
				x.add(name, name, f.GetType() == dto.MetricType_COUNTER, m.GetLabel())
				continue
			}
			x.add(name+"_sum", name, true, m.GetLabel())
			x.add(name+"_count", name, true, m.GetLabel())
			for _, b := range m.GetHistogram().GetBucket() {
				le, bound := "le", strconv.FormatFloat(b.GetUpperBound(), 'g', -1, 64)
				x.add(name+"_bucket", name, true, append(slices.Clone(m.GetLabel()), &dto.LabelPair{Name: &le, Value: &bound}))
			}
		}
	}
	return x
}

func (x exported) add(name, family string, grows bool, labels []*dto.LabelPair) {
	m := x[name]
	if m == nil {
		m = &metric{family: family, labels: map[string]map[string]bool{}, grows: grows}
		x[name] = m
	}
	for _, l := range labels {
		values := m.labels[l.GetName()]
		if values == nil {
			values = map[string]bool{}
			m.labels[l.GetName()] = values
		}
		values[l.GetValue()] = true
	}
}

// families are the hub's own, in order.
func (x exported) families() []string {
	own := map[string]bool{}
	for _, m := range x {
		if strings.HasPrefix(m.family, "nave_") {
			own[m.family] = true
		}
	}
	return slices.Sorted(maps.Keys(own))
}
