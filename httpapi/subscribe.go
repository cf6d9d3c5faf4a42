package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/sse"
	"github.com/navehub/nave/telemetry"
)

// events answers GET /v1/events in the format that the client asks for.
func (x *exchange) events() error {
	x.Header().Add("Vary", "Accept")
	switch negotiate(x.r.Header.Values("Accept"), eventFormats) {
	case sse.MediaType:
		return x.subscribe(frame.SSE, sse.MediaType+"; charset=utf-8")
	case ndjsonType:
		return x.subscribe(frame.NDJSON, ndjsonType)
	case jsonType:
		return x.poll()
	}
	return nave.Errorf(codeNotAcceptable, "events are to be had as %s", list(eventFormats))
}

// subscribe hands the connection over to the hub.
func (x *exchange) subscribe(format frame.Format, contentType string) (err error) {
	x.trace(telemetry.SpanSubscribe)
	q, err := x.parseQuery(eventParameters)
	if err != nil {
		return err
	}
	streamHeaders(x.Header(), contentType)
	defer func() {
		if err != nil {
			protect(x.Header()) // it comes to no stream
		}
	}()
	if x.r.Method == http.MethodHead {
		x.WriteHeader(http.StatusOK)
		return nil
	}
	transport, wait, err := x.transport()
	if err != nil {
		return err
	}
	// The hub must not be given up on: it would serve a transport that is not
	// its own. It answers at once in any case.
	err = x.Hub.Connect(context.WithoutCancel(x.r.Context()), client.Request{
		Filters:   q.filters,
		Presence:  q.presence,
		Cursor:    q.cursor,
		Snapshot:  q.snapshot,
		Format:    format,
		Transport: transport,
		Who:       x.who,
		Address:   x.address(),
		UserAgent: userAgent(x.r),
	})
	if err != nil {
		return err
	}
	x.status = http.StatusOK
	x.end()
	wait()
	return nil
}

func streamHeaders(h http.Header, contentType string) {
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-cache, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx gathers what it proxies otherwise
	h.Del("Content-Encoding")
	unprotect(h)
}

// transport takes the connection over if that is possible. The handler must
// return after wait, not before.
func (x *exchange) transport() (t client.Transport, wait func(), err error) {
	if x.r.ProtoMajor == 1 && x.r.TLS == nil {
		x.taken, err = x.hijacker.Hijack(x.ResponseWriter)
		if err == nil {
			return x.taken, func() {}, nil
		}
		if !errors.Is(err, http.ErrNotSupported) {
			return nil, nil, err
		}
	}
	response := client.NewResponse(x.ResponseWriter, x.r)
	return response, response.Wait, nil
}

// userAgent is a short copy: it is kept for as long as the stream.
func userAgent(r *http.Request) string {
	const enough = 200
	text := r.UserAgent()
	return strings.Clone(text[:min(len(text), enough)])
}
