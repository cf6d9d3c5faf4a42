package tests

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// A receiver is an OTLP endpoint that keeps the spans it is sent.
type receiver struct {
	mu    sync.Mutex
	spans []*trace.Span
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil || req.URL.Path != "/v1/traces" {
		return
	}
	var export collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &export); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, resource := range export.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			r.spans = append(r.spans, scope.Spans...)
		}
	}
}

func (r *receiver) of(traceID []byte) map[string]*trace.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	spans := make(map[string]*trace.Span)
	for _, s := range r.spans {
		if bytes.Equal(s.TraceId, traceID) {
			spans[s.Name] = s
		}
	}
	return spans
}

// One trace runs from the publisher's request to the last socket write, with the
// same number of spans however many subscribers there are.
func TestOneTraceFromPublishToLastWrite(t *testing.T) {
	received := &receiver{}
	otlp := httptest.NewServer(received)
	defer otlp.Close()
	hub := trial.Hub(t,
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+otlp.URL+"/v1/traces",
		"OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "OTEL_TRACES_EXPORTER=otlp", "OTEL_BSP_SCHEDULE_DELAY=50")
	const clients = 7
	var following []*harness.Subscriber
	for range clients {
		following = append(following, trial.Follow(t, hub, "board/*"))
	}
	publishTraced(t, hub, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	publishTraced(t, hub, "00-1bf7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00") // not sampled
	for _, c := range following {
		seen := trial.Saw(t, c, 2)
		if seen[0].Traceparent != "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" || seen[1].Traceparent != "" {
			t.Errorf("frames carry %q and %q, want the sampled creation context and none", seen[0].Traceparent, seen[1].Traceparent)
		}
	}
	id := []byte{0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c}
	want := []string{"POST /v1/events", "append", "fanout", "publish", "topic"}
	spans := trial.Eventually(t, func() (map[string]*trace.Span, bool) {
		got := received.of(id)
		return got, len(got) >= len(want)
	})
	var names []string
	for name, s := range spans {
		names = append(names, name)
		t.Logf("%-16s %6d µs", name, (s.EndTimeUnixNano-s.StartTimeUnixNano)/1000)
	}
	if slices.Sort(names); !slices.Equal(names, want) {
		t.Errorf("spans = %v, want %v", names, want)
	}
	attributes := make(map[string]int64)
	for _, a := range spans["fanout"].GetAttributes() {
		attributes[a.Key] = a.Value.GetIntValue()
	}
	if attributes["nave.fanout.written"] != clients || attributes["nave.fanout.last_write_us"] < attributes["nave.fanout.first_write_us"] {
		t.Errorf("fanout says %v, want %d writes with the first and the last of them", attributes, clients)
	}
	received.mu.Lock()
	defer received.mu.Unlock()
	for _, s := range received.spans {
		if s.TraceId[0] == 0x1b {
			t.Errorf("span %s of a trace that is not sampled", s.Name)
		}
	}
}

func publishTraced(t *testing.T, hub *harness.Process, traceparent string) {
	t.Helper()
	body, _ := json.Marshal(card("board/1", "", 1))
	req, err := http.NewRequestWithContext(trial.Soon(t), http.MethodPost, hub.URL("/v1/events"), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Traceparent", traceparent)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("publish: %s", resp.Status)
	}
}
