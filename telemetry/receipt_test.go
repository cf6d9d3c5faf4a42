package telemetry

import (
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/navehub/nave"
)

const created = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// The client's span is in the trace that the event was created in, at the times that
// the receipt says, and points to the hub's.
func TestReceivedEventsAreSpans(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	reader := metric.NewManualReader()
	tel, err := New(Config{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)),
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(reader)),
		Classes:        []string{"cards/*"},
	})
	if err != nil {
		t.Fatal(err)
	}
	accepted := time.Now()
	fanout := tel.StartFanout(spanContext(true), accepted)
	fanout.Dispatched()
	r := Receipt{
		Event: &nave.Event{Topic: "cards/1", Type: "card.moved", Offset: 42, TraceParent: created}, Class: "cards/*", Connection: 17,
		Fanout: fanout, Accepted: accepted, Received: 20 * time.Millisecond, Rendered: 30 * time.Millisecond, Error: time.Millisecond,
	}
	tel.Received(r)
	s := spans.Ended()[1]
	if s.Name() != "process cards/*" || s.SpanKind() != trace.SpanKindConsumer {
		t.Errorf("span %s of kind %s", s.Name(), s.SpanKind())
	}
	if p := s.Parent(); p.TraceID().String() != created[3:35] || p.SpanID().String() != created[36:52] || !p.IsRemote() {
		t.Errorf("parent = %+v", p)
	}
	if got := [2]time.Duration{s.StartTime().Sub(accepted), s.EndTime().Sub(accepted)}; got != [2]time.Duration{r.Received, r.Rendered} {
		t.Errorf("it is from %v to %v", got[0], got[1])
	}
	if links := s.Links(); len(links) != 1 || !links[0].SpanContext.Equal(fanout.SpanContext()) {
		t.Errorf("links = %+v", links)
	}
	for key, want := range map[attribute.Key]int64{AttrReceived: 20_000, AttrRendered: 30_000, AttrClockError: 1000, AttrLogOffset: 42} {
		if got := number(t, s, key); got != want {
			t.Errorf("%s = %d, want %d", key, got, want)
		}
	}
	if got := exemplars(t, reader); got["nave.delivery.received.duration"] != s.SpanContext().SpanID() || got["nave.delivery.rendered.duration"] != s.SpanContext().SpanID() {
		t.Errorf("exemplars = %v, want span %s", got, s.SpanContext().SpanID())
	}

	n := len(spans.Ended())
	for _, traceParent := range []string{"", "nonsense", created[:53] + "00"} { // not sampled
		r.Event.TraceParent = traceParent
		tel.Received(r)
	}
	if more := len(spans.Ended()) - n; more != 0 {
		t.Errorf("%d spans of events that are not sampled", more)
	}
	r.Event.TraceParent, r.Rendered, r.Fanout = created, 0, nil
	tel.Received(r)
	s = spans.Ended()[n]
	if set := attrsOf(s); !s.EndTime().Equal(s.StartTime()) || set.HasValue(AttrRendered) || len(s.Links()) != 0 {
		t.Errorf("what was not rendered: %v to %v, %v", s.StartTime(), s.EndTime(), s.Attributes())
	}
}

// exemplars are the spans that histograms point to, by metric.
func exemplars(t *testing.T, reader *metric.ManualReader) map[string]trace.SpanID {
	t.Helper()
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	found := make(map[string]trace.SpanID)
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			data, ok := m.Data.(metricdata.Histogram[float64])
			if !ok {
				continue
			}
			for _, p := range data.DataPoints {
				for _, x := range p.Exemplars {
					found[m.Name] = trace.SpanID(x.SpanID)
				}
			}
		}
	}
	return found
}

func TestReceiptsAreCountedByWhatBecomesOfThem(t *testing.T) {
	tel, collect := metered(t, Config{Classes: []string{"default", "cards/*"}})
	e := &nave.Event{}
	tel.Received(Receipt{Event: e, Class: "cards/*", Received: time.Millisecond})
	tel.Received(Receipt{Event: e, Class: "unheard of", Received: time.Millisecond, Rendered: time.Millisecond, Moved: true})
	tel.ReceiptLeftOut(ReceiptUnknown, 7)
	metrics := collect()
	for name, want := range map[string]map[attribute.Key]map[string]float64{
		"nave.delivery.receipts":          {AttrReceipt: {"counted": 1, "moved": 1, "unknown": 7}},
		"nave.delivery.received.duration": {AttrTopicClass: {"cards/*": 1, "_OTHER": 1}},
		"nave.delivery.rendered.duration": {AttrTopicClass: {"_OTHER": 1}},
	} {
		for key, values := range want {
			got := by(key, metrics[name])
			for value, n := range values {
				if got[value] != n || len(got) != len(values) {
					t.Errorf("%s: %v, want %v", name, got, values)
				}
			}
		}
	}
}

func TestClassesAreBounded(t *testing.T) {
	many := make([]string, 1000)
	for i := range many {
		many[i] = string(rune('a'+i%26)) + "/" + string(rune('a'+i/26))
	}
	tel, collect := metered(t, Config{Classes: many})
	for _, class := range many {
		tel.Received(Receipt{Event: &nave.Event{}, Class: class})
	}
	if n := len(points(collect()["nave.delivery.received.duration"])); n != 65 {
		t.Errorf("%d classes, want 64 and all others together", n)
	}
}
