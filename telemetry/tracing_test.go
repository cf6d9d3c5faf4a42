package telemetry

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/navehub/nave"
)

const (
	callerTrace = "0af7651916cd43dd8448eb211c80319c"
	caller      = "00-" + callerTrace + "-b7ad6b7169203331-01"
	producer    = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
)

func request(traceparent string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://hub.example:8080/v1/events?token=secret", nil)
	r.Header.Set("User-Agent", "test")
	if traceparent != "" {
		r.Header.Set("Traceparent", traceparent)
	}
	return r
}

func TestServerSpanContinuesTheCaller(t *testing.T) {
	tel, spans := traced(t)
	_, span := tel.StartServer(request(caller), "POST /v1/events")
	span.End()

	s := spans.Ended()[0]
	if s.SpanKind() != trace.SpanKindServer || s.Name() != "POST /v1/events" {
		t.Errorf("span = %s %s", s.SpanKind(), s.Name())
	}
	if got := s.Parent().TraceID().String(); got != callerTrace || !s.Parent().IsRemote() {
		t.Errorf("parent = %+v, want the caller", s.Parent())
	}
	want := attribute.NewSet(
		attribute.String("http.request.method", "POST"),
		attribute.String("http.route", "/v1/events"),
		attribute.String("url.path", "/v1/events"),
		attribute.String("url.scheme", "http"),
		attribute.String("network.protocol.version", "1.1"),
		attribute.String("user_agent.original", "test"),
		attribute.String("server.address", "hub.example"),
		attribute.Int("server.port", 8080),
	)
	if got := attrsOf(s); !got.Equals(&want) {
		t.Errorf("attributes = %v\nwant %v", got.Encoded(attribute.DefaultEncoder()), want.Encoded(attribute.DefaultEncoder()))
	}
}

func TestServerSpanIsAChildOfMiddleware(t *testing.T) {
	tel, _ := traced(t)
	r := request(caller)
	ctx, middleware := tel.tracer.Start(r.Context(), "middleware")
	ctx, span := tel.StartServer(r.WithContext(ctx), "POST /v1/events")
	if span.SpanContext().TraceID() != middleware.SpanContext().TraceID() {
		t.Error("the request is in another trace than its middleware")
	}
	if got := hop(ctx).TraceID().String(); got != callerTrace {
		t.Errorf("hop = %s, want the caller", got)
	}
}

func TestServerSpanOfAnOddMethodHasABoundedName(t *testing.T) {
	tel, spans := traced(t)
	r := request("")
	r.Method = "BREW"
	_, span := tel.StartServer(r, "HTTP")
	span.End()
	set := attrsOf(spans.Ended()[0])
	if v, _ := set.Value("http.request.method"); v.AsString() != "_OTHER" {
		t.Errorf("method = %q", v.AsString())
	}
}

func TestPublishGivesEventsTheContextTheyWereCreatedIn(t *testing.T) {
	const malformed = "00-xyz"
	tests := []struct {
		name        string
		hop, parent string // what the request and the event say
		want        string // "hop", "span" or a traceparent
		kind        trace.SpanKind
		link        bool
	}{
		{"nobody has one", "", "", "span", trace.SpanKindProducer, false},
		{"the caller has one", caller, "", "hop", trace.SpanKindInternal, false},
		{"the event has one", "", producer, producer, trace.SpanKindInternal, true},
		{"both have one", caller, producer, producer, trace.SpanKindInternal, true},
		{"both have the same", caller, caller, caller, trace.SpanKindInternal, false},
		{"the event's is malformed", "", malformed, "span", trace.SpanKindProducer, false},
		{"the event's is malformed, the caller has one", caller, malformed, "hop", trace.SpanKindInternal, false},
		{"the event's is of a version to come", "", "01" + producer[2:] + "-more", producer, trace.SpanKindInternal, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tel, spans := traced(t)
			events := []nave.Event{{Topic: "cards/1", Type: "card.moved", TraceParent: tt.parent, TraceState: "bad state"}}
			ctx, server := tel.StartServer(request(tt.hop), "POST /v1/events")
			_, span := tel.StartPublish(ctx, events)
			span.End()
			server.End()

			want := tt.want
			switch want {
			case "hop":
				want = tt.hop
			case "span":
				want = format(span.SpanContext()).parent
			}
			if got := events[0]; got.TraceParent != want || got.TraceState != "" {
				t.Errorf("event has %q and %q, want %q", got.TraceParent, got.TraceState, want)
			}
			s := spans.Ended()[0]
			if s.SpanKind() != tt.kind || len(s.Links()) > 0 != tt.link {
				t.Errorf("kind = %s, links = %d", s.SpanKind(), len(s.Links()))
			}
			if s.Parent().SpanID() != server.SpanContext().SpanID() {
				t.Error("the publish is not a child of the request")
			}
		})
	}
}

func TestPublishKeepsTraceState(t *testing.T) {
	tel, _ := traced(t)
	r := request(caller)
	r.Header.Set("Tracestate", "vendor=1")
	events := []nave.Event{{}, {TraceParent: producer, TraceState: "other=2"}, {TraceState: "alone=3"}}
	ctx, server := tel.StartServer(r, "POST /v1/events")
	_, span := tel.StartPublish(ctx, events)
	span.End()
	server.End()
	for i, want := range []string{"vendor=1", "other=2", "vendor=1"} {
		if got := events[i].TraceState; got != want {
			t.Errorf("event %d has state %q, want %q", i, got, want)
		}
	}
}

func TestPublishOfAnUnsampledRequestLeavesEventsAlone(t *testing.T) {
	tel, _ := traced(t, sdktrace.WithSampler(sdktrace.NeverSample()))
	events := []nave.Event{{}}
	_, span := tel.StartPublish(t.Context(), events)
	span.End()
	if events[0].TraceParent != "" {
		t.Errorf("event has %q", events[0].TraceParent)
	}
}

// Without a provider the hub is no part of the trace, but hands it on.
func TestDisabledPassesTheCallersContextOn(t *testing.T) {
	events := []nave.Event{{}, {TraceParent: "malformed"}}
	ctx, server := Disabled().StartServer(request(caller), "POST /v1/events")
	_, span := Disabled().StartPublish(ctx, events)
	span.End()
	server.End()
	for i, e := range events {
		if e.TraceParent != caller {
			t.Errorf("event %d has %q, want the caller's", i, e.TraceParent)
		}
	}
}

func TestDisabledDoesNotEndSomebodyElsesSpan(t *testing.T) {
	_, spans := traced(t)
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	ctx, theirs := tp.Tracer("app").Start(t.Context(), "app")
	events := []nave.Event{{}}
	_, span := Disabled().StartPublish(ctx, events)
	span.End()
	if len(spans.Ended()) != 0 {
		t.Error("the application's span was ended")
	}
	theirs.End()
	if want := format(theirs.SpanContext()).parent; events[0].TraceParent != want {
		t.Errorf("event has %q, want the application's %q", events[0].TraceParent, want)
	}
}

func TestStageIsAChildInThePast(t *testing.T) {
	tel, spans := traced(t)
	end := time.Now()
	start := end.Add(-time.Minute)
	tel.Stage(spanContext(true), SpanAppend, start, end, AttrAppendGroup.Int(7))
	tel.Stage(spanContext(false), SpanAppend, start, end)

	if n := len(spans.Ended()); n != 1 {
		t.Fatalf("spans = %d, want the sampled one", n)
	}
	s := spans.Ended()[0]
	if !s.StartTime().Equal(start) || !s.EndTime().Equal(end) {
		t.Errorf("from %v to %v", s.StartTime(), s.EndTime())
	}
	if s.Parent().SpanID() != spanContext(true).SpanID() || number(t, s, AttrAppendGroup) != 7 {
		t.Errorf("parent %v, attributes %v", s.Parent(), s.Attributes())
	}
}

// A trace is the same size for one client as for many.
func TestOneEventMakesFiveSpans(t *testing.T) {
	tel, spans := traced(t)
	ctx, server := tel.StartServer(request(""), "POST /v1/events")
	_, publish := tel.StartPublish(ctx, []nave.Event{{Topic: "cards/1", Type: "card.moved"}})
	sc, now := publish.SpanContext(), time.Now()
	tel.Stage(sc, SpanTopic, now, now)
	tel.Stage(sc, SpanAppend, now, now)
	f := tel.StartFanout(sc, now)
	f.Offered(1000)
	f.Dispatched()
	for range 1000 {
		f.Written(now.Add(time.Millisecond))
	}
	publish.End()
	server.End()

	var names []string
	for _, s := range spans.Ended() {
		names = append(names, s.Name())
		if s.SpanContext().TraceID() != server.SpanContext().TraceID() {
			t.Errorf("%s is in another trace", s.Name())
		}
	}
	if got, want := strings.Join(names, ", "), "topic, append, fanout, publish, POST /v1/events"; got != want {
		t.Errorf("spans = %s, want %s", got, want)
	}
}

// Many events of one request do not each keep what is long in its headers.
func TestALongStateIsNotMultiplied(t *testing.T) {
	tel := Disabled()
	for _, n := range []int{512, 513} {
		state := "a=" + strings.Repeat("x", 240) + ",b=" + strings.Repeat("y", 240) + ",c=" + strings.Repeat("z", n-488)
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		r.Header.Set("Tracestate", state)
		ctx, span := tel.StartServer(r, "POST /v1/events")
		events := make([]nave.Event, 2)
		_, publish := tel.StartPublish(ctx, events)
		publish.End()
		span.End()
		for _, e := range events {
			if e.TraceParent == "" || len(state) != n || (e.TraceState == state) != (n <= 512) {
				t.Errorf("of a state of %d bytes an event keeps %d", len(state), len(e.TraceState))
			}
		}
	}
}
