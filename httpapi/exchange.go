package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/auth"
)

// An exchange is one request and its answer.
type exchange struct {
	http.ResponseWriter
	*handler
	r     *http.Request
	rc    *http.ResponseController
	start time.Time
	who   *auth.Identity // nil until it is known

	asked   url.Values // in the URL; nil until it is read
	misread error      // why not all of it could be

	span   trace.Span       // nil unless trace was called
	taken  *client.Hijacked // the connection, once it is not net/http's any more
	status int              // 0 until the answer has begun
	failed error            // what was refused, and why
	ended  bool
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request, op operation) {
	x := newExchange(h, w, r)
	defer x.end()
	if r.ContentLength != 0 {
		x.patience() // also for a body that nobody reads: net/http does, at the end
		h.arriving.add(x)
		defer h.arriving.remove(x)
	}
	if err := op(x); err != nil {
		x.refuse(err)
	}
}

func newExchange(h *handler, w http.ResponseWriter, r *http.Request) *exchange {
	return &exchange{ResponseWriter: w, handler: h, r: r, rc: http.NewResponseController(w), start: time.Now()}
}

// Unwrap lets http.ResponseController find what w can do.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// WriteHeader begins the answer.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write begins the answer too.
func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.ResponseWriter.Write(b)
}

// trace starts the request's span, which ends with the exchange.
func (x *exchange) trace(name string) {
	var ctx context.Context
	ctx, x.span = x.Telemetry.StartServer(x.r, name)
	if ctx != x.r.Context() { // which copies the request
		x.r = x.r.WithContext(ctx)
	}
}

// send answers with a body that is at hand.
func (x *exchange) send(status int, contentType string, body []byte) {
	x.Header().Set("Content-Type", contentType)
	x.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.discard()
	_ = x.rc.SetWriteDeadline(time.Now().Add(x.WriteTimeout)) // net/http lifts it, once the answer is out
	x.WriteHeader(status)
	if x.r.Method != http.MethodHead {
		_, _ = x.Write(body) // a reader that is gone needs no answer
	}
}

// answer sends what is nobody else's, and not to be kept.
func (x *exchange) answer(status int, v any) {
	x.Header().Set("Cache-Control", "no-store")
	x.send(status, jsonType, encode(v))
}

// refuse answers with an error.
func (x *exchange) refuse(err error) {
	x.failed = err
	x.auditRefusal(err)
	p := x.problemOf(err)
	x.Telemetry.RequestRefused(p.Code)
	if p.Code == nave.CodeInternal && x.r.Context().Err() == nil { // a client that leaves is no defect
		x.Logger.ErrorContext(x.r.Context(), "a request met a defect", "method", x.r.Method, "path", x.r.URL.Path, "error", err)
	}
	if x.status != 0 {
		// The answer had begun. Ending it in good order would pass for all of it.
		panic(http.ErrAbortHandler)
	}
	p.headers(x.Header())
	if x.taken != nil {
		x.status = p.Status
		_ = x.taken.Refuse(p.Status, x.Header(), p.body(), x.WriteTimeout)
		return
	}
	x.send(p.Status, problemType, p.body())
}

// problemOf is what the caller hears of an error. A conflict tells those who may
// publish, and not read, that they were late, but not by what.
func (x *exchange) problemOf(err error) problem {
	p := problemOf(err)
	for i := range p.Conflicts {
		if x.who == nil || !x.who.Grant.MayRead(p.Conflicts[i].Topic) {
			p.Conflicts[i].Event = nil
		}
	}
	return p
}

// end tells telemetry and the log, once.
func (x *exchange) end() {
	if x.ended {
		return
	}
	x.ended = true
	if x.span != nil {
		x.span.SetAttributes(semconv.HTTPResponseStatusCode(x.status))
		if x.status >= http.StatusInternalServerError {
			x.span.SetAttributes(semconv.ErrorTypeKey.String(string(nave.CodeOf(x.failed))))
			x.span.SetStatus(codes.Error, "")
		}
		x.span.End()
	}
	if !x.Logger.Enabled(x.r.Context(), slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", x.r.Method), slog.String("path", x.r.URL.Path), // the query may hold a token
		slog.Int("status", x.status), slog.Duration("took", time.Since(x.start)),
	}
	if x.failed != nil {
		attrs = append(attrs, slog.Any("error", x.failed))
	}
	x.Logger.LogAttrs(x.r.Context(), slog.LevelDebug, "request", attrs...)
}
