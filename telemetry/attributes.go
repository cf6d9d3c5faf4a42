package telemetry

import (
	"net"
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/navehub/nave"
)

// header reads header fields by the lower-case names that propagators use.
// http.Header.Get would allocate for them on every request.
type header http.Header

func (h header) Get(key string) string {
	switch key {
	case traceParent:
		key = "Traceparent"
	case traceState:
		key = "Tracestate"
	default:
		return http.Header(h).Get(key)
	}
	if v := h[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (h header) Set(key, value string) { http.Header(h).Set(key, value) }

func (h header) Keys() []string {
	keys := make([]string, 0, len(h))
	for k := range h {
		keys = append(keys, k)
	}
	return keys
}

var methods = newChoice(semconv.HTTPRequestMethodKey, "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")

// requestAttributes leaves out the query, which may hold a token, and the
// caller's address, which is personal.
func requestAttributes(r *http.Request, name string) []attribute.KeyValue {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	attrs := append(make([]attribute.KeyValue, 0, 8),
		methods.key.String(methods.values[methods.index(r.Method)]),
		semconv.URLScheme(scheme),
		semconv.URLPath(r.URL.Path),
		semconv.NetworkProtocolVersion(protocolVersion(r)),
	)
	if _, route, ok := strings.Cut(name, " "); ok {
		attrs = append(attrs, semconv.HTTPRoute(route))
	}
	if agent := r.UserAgent(); agent != "" {
		attrs = append(attrs, semconv.UserAgentOriginal(agent))
	}
	return appendServer(attrs, r.Host)
}

func protocolVersion(r *http.Request) string {
	if r.ProtoMajor > 1 {
		return strconv.Itoa(r.ProtoMajor)
	}
	return "1." + strconv.Itoa(r.ProtoMinor)
}

func appendServer(attrs []attribute.KeyValue, host string) []attribute.KeyValue {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		return append(attrs, semconv.ServerAddress(host))
	}
	attrs = append(attrs, semconv.ServerAddress(name))
	if n, err := strconv.Atoi(port); err == nil {
		attrs = append(attrs, semconv.ServerPort(n))
	}
	return attrs
}

// publishAttributes names the topic if there is one only, and the event likewise.
func publishAttributes(events []nave.Event) []attribute.KeyValue {
	attrs := append(make([]attribute.KeyValue, 0, 7),
		AttrSystem.String("nave"), AttrOperation.String(SpanPublish))
	if len(events) != 1 {
		return append(attrs, AttrEvents.Int(len(events)))
	}
	e := &events[0]
	attrs = append(attrs, AttrTopic.String(string(e.Topic)), AttrEventType.String(e.Type))
	if e.ID != "" {
		attrs = append(attrs, AttrEventID.String(e.ID))
	}
	if e.Source != "" {
		attrs = append(attrs, AttrSource.String(e.Source))
	}
	return attrs
}
