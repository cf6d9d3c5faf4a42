package telemetry

import (
	"net/http/httptest"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/navehub/nave"
)

func optionSet(l *labels) attribute.Set {
	cfg := metric.NewAddConfig(l.add)
	return cfg.Attributes()
}

func TestNothingAllocatesWithoutProviders(t *testing.T) {
	tel := Disabled()
	r := httptest.NewRequest("POST", "/v1/events", nil)
	events := []nave.Event{{Topic: "cards/1", Type: "card.moved"}}
	now := time.Now()
	for name, f := range map[string]func(){
		"measure": func() { measure(tel) },
		"trace": func() {
			ctx, server := tel.StartServer(r, "POST /v1/events")
			_, publish := tel.StartPublish(ctx, events)
			tel.Stage(publish.SpanContext(), SpanAppend, now, now, AttrAppendGroup.Int(len(events)))
			fanOut(tel.StartFanout(publish.SpanContext(), now), now)
			publish.End()
			server.End()
		},
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestUnsampledStagesDoNotAllocate(t *testing.T) {
	tel, _ := traced(t)
	sc, now := spanContext(false), time.Now()
	if n := testing.AllocsPerRun(100, func() {
		tel.Stage(sc, SpanAppend, now, now, AttrAppendGroup.Int(int(now.Unix())))
		fanOut(tel.StartFanout(sc, now), now)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestMeasuringDoesNotAllocate(t *testing.T) {
	tel, _ := metered(t, Config{})
	measure(tel) // the first of each series does
	if n := testing.AllocsPerRun(100, func() { measure(tel) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

var received = Receipt{Event: &nave.Event{Topic: "cards/1"}, Received: time.Millisecond, Rendered: 2 * time.Millisecond}

func measure(tel *Telemetry) {
	tel.Published(nave.Memory, 1, time.Millisecond)
	tel.Refused(nave.CodeBusy)
	tel.Admitted(time.Millisecond)
	tel.Appended(10, 1000, time.Millisecond, time.Millisecond)
	tel.Dispatched(10, 100, time.Millisecond)
	tel.Delivered("sse", true, 10)
	tel.Took("sse", time.Millisecond, time.Millisecond)
	tel.Delivered("sse", false, 10)
	tel.Connected("sse")
	tel.Disconnected("sse", "client", time.Minute)
	tel.TurnedAway("address")
	tel.RequestRefused(nave.CodeForbidden)
	tel.Resumed("recovered")
	tel.Replayed("ring", 10, time.Millisecond)
	tel.ActorFailed("topic", "restart")
	tel.Conflicted(1)
	tel.LevelChanged(nave.LevelShed)
	tel.Present(2, 1)
	tel.ReceiptLeftOut(ReceiptUnknown, 1)
	tel.Received(received)
}

func fanOut(f *Fanout, now time.Time) {
	f.Offered(1)
	f.Skipped(1)
	f.Written(now)
	f.Dispatched()
}

func BenchmarkDelivered(b *testing.B) {
	sdk, _ := metered(b, Config{})
	for name, tel := range map[string]*Telemetry{"off": Disabled(), "sdk": sdk} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tel.Delivered("sse", true, 3)
				tel.Took("sse", time.Millisecond, 4*time.Millisecond)
			}
		})
	}
}

func BenchmarkFanoutWritten(b *testing.B) {
	tel, _ := traced(b)
	now := time.Now()
	sampled := tel.StartFanout(spanContext(true), now)
	b.Cleanup(sampled.Dispatched)
	for name, f := range map[string]*Fanout{"nil": nil, "sampled": sampled} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.Written(now)
			}
		})
	}
}

func BenchmarkUnsampledStage(b *testing.B) {
	tel, _ := traced(b)
	sc, now := spanContext(false), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		tel.Stage(sc, SpanAppend, now, now, AttrAppendGroup.Int(10))
	}
}

func BenchmarkSampledEvent(b *testing.B) {
	tel, spans := traced(b)
	sc, now := spanContext(true), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		tel.Stage(sc, SpanTopic, now, now)
		tel.Stage(sc, SpanAppend, now, now, AttrAppendGroup.Int(10))
		fanOut(tel.StartFanout(sc, now), now)
		spans.Reset()
	}
}
