package export

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// environment is the process's, with these OpenTelemetry variables and no others.
func environment(t *testing.T, vars ...string) {
	t.Helper()
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "OTEL_") {
			t.Setenv(name, "")
		}
	}
	for _, kv := range vars {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
}

// A collector receives OTLP over HTTP.
type collector struct {
	url string

	mu       sync.Mutex
	resource map[string]string // of the latest spans
	spans    map[string]*tracepb.Span
	metrics  map[string]*metricspb.Metric
	logs     []*logspb.LogRecord
}

func collect(t *testing.T) *collector {
	t.Helper()
	c := &collector{spans: make(map[string]*tracepb.Span), metrics: make(map[string]*metricspb.Metric)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", receive(c.addSpans))
	mux.HandleFunc("POST /v1/metrics", receive(c.addMetrics))
	mux.HandleFunc("POST /v1/logs", receive(c.addLogs))
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	c.url = srv.URL
	return c
}

func receive[M any, P interface {
	*M
	proto.Message
}](add func(P)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		request := P(new(M))
		if err != nil || proto.Unmarshal(body, request) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		add(request)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}
}

func (c *collector) addSpans(r *coltrace.ExportTraceServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rs := range r.GetResourceSpans() {
		c.resource = texts(rs.GetResource().GetAttributes())
		for _, ss := range rs.GetScopeSpans() {
			for _, s := range ss.GetSpans() {
				c.spans[s.GetName()] = s
			}
		}
	}
}

func (c *collector) addMetrics(r *colmetrics.ExportMetricsServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rm := range r.GetResourceMetrics() {
		for _, sm := range rm.GetScopeMetrics() {
			for _, m := range sm.GetMetrics() {
				c.metrics[m.GetName()] = m
			}
		}
	}
}

func (c *collector) addLogs(r *collogs.ExportLogsServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rl := range r.GetResourceLogs() {
		for _, sl := range rl.GetScopeLogs() {
			c.logs = append(c.logs, sl.GetLogRecords()...)
		}
	}
}

func texts(attrs []*commonpb.KeyValue) map[string]string {
	m := make(map[string]string)
	for _, kv := range attrs {
		m[kv.GetKey()] = kv.GetValue().GetStringValue()
	}
	return m
}
