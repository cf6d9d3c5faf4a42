package telemetry

import (
	"context"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/navehub/nave"
)

// A Receipt is what became of an event at a client.
type Receipt struct {
	Event *nave.Event
	// Class is one of Config.Classes.
	Class string
	// Connection is the client's; 0 if it has not said so.
	Connection uint64
	// Fanout is the event's, if it was sampled.
	Fanout *Fanout
	// Accepted is when the hub accepted the event. Received and Rendered count from
	// then; Rendered is 0 if it was not. Error bounds how far off they are.
	Accepted                  time.Time
	Received, Rendered, Error time.Duration
	// Moved says that the client's word about its clock could not be right.
	Moved bool
}

// Why receipts are left out.
const (
	ReceiptUnasked   = "unasked"   // of an event that the hub has not asked about, or not now
	ReceiptUnknown   = "unknown"   // of one that it does not have at hand, any more or at all
	ReceiptForbidden = "forbidden" // of one that the caller may not read, or another's stream
	ReceiptAgain     = "again"     // of one that the same connection has reported before
	ReceiptReplayed  = "replayed"  // of one that was there before the stream, and so has an age
	ReceiptAbsurd    = "absurd"    // with times that cannot be true
	ReceiptTooMany   = "too many"  // beyond what a connection may send

	receiptCounted = "counted"
	receiptMoved   = "moved" // counted too, with a clock that was corrected
)

// ReceiptLeftOut counts n receipts that nothing is measured by.
func (t *Telemetry) ReceiptLeftOut(why string, n int) {
	t.receipts.Add(background, int64(n), t.tables.receipt.of(why).add...)
}

// Received measures by a receipt. If the event is sampled, its way to the client is a
// span too, in the trace that it was created in; which is the exemplar.
func (t *Telemetry) Received(r Receipt) {
	result := receiptCounted
	if r.Moved {
		result = receiptMoved
	}
	t.receipts.Add(background, 1, t.tables.receipt.of(result).add...)
	l := t.tables.class.of(r.Class)
	ctx := t.process(r)
	t.deliveryReceived.Record(ctx, r.Received.Seconds(), l.record...)
	if r.Rendered > 0 {
		t.deliveryRendered.Record(ctx, r.Rendered.Seconds(), l.record...)
	}
}

// process makes the client's span, whose parent is what the event was created in. Of the
// two ways that the conventions have, this one keeps a single event's trace in one piece.
func (t *Telemetry) process(r Receipt) context.Context {
	if !t.tracing || r.Event.TraceParent == "" {
		return background
	}
	created := parse(r.Event.TraceParent, r.Event.TraceState)
	if !created.IsSampled() {
		return background
	}
	received, rendered := r.Accepted.Add(r.Received), r.Accepted.Add(max(r.Received, r.Rendered))
	opts := []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithTimestamp(received),
		trace.WithAttributes(
			AttrSystem.String("nave"), AttrOperation.String(SpanProcess), AttrTemplate.String(r.Class),
			AttrTopic.String(string(r.Event.Topic)), AttrEventType.String(r.Event.Type),
			AttrLogOffset.Int64(int64(r.Event.Offset)),
			AttrConnection.String(strconv.FormatUint(r.Connection, 10)),
			AttrReceived.Int64(r.Received.Microseconds()),
			AttrClockError.Int64(r.Error.Microseconds()),
		),
	}
	if r.Rendered > 0 {
		opts = append(opts, trace.WithAttributes(AttrRendered.Int64(r.Rendered.Microseconds())))
	}
	if sc := r.Fanout.SpanContext(); sc.IsValid() {
		opts = append(opts, trace.WithLinks(trace.Link{SpanContext: sc}))
	}
	ctx, span := t.tracer.Start(trace.ContextWithRemoteSpanContext(background, created), SpanProcess+" "+r.Class, opts...)
	span.End(trace.WithTimestamp(rendered))
	return ctx
}

// SpanContext is that of the fan-out's span; of nil it is none.
func (f *Fanout) SpanContext() trace.SpanContext {
	if f == nil {
		return trace.SpanContext{}
	}
	return f.span.SpanContext()
}
