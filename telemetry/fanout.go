package telemetry

import (
	"math"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// fanoutLimit is how long a span waits for sockets: one that is stalled must not
// hold it open.
const fanoutLimit = time.Second

// A Fanout is the span of one sampled event's way to all of its clients. However
// many they are, it is one span, which ends with the last write, or after one
// second. A nil Fanout ignores everything. Its methods may be called
// concurrently, and after its end.
type Fanout struct {
	// Set by StartFanout, never changed.
	t     *Telemetry
	span  trace.Span
	start time.Time
	timer *time.Timer

	offered, written, skipped atomic.Int64
	first, last               atomic.Int64 // of the writes, after start
	dispatched, ended         atomic.Bool
}

// StartFanout starts the span of an event's fan-out, as a child of sc. It returns
// nil if sc is not sampled.
func (t *Telemetry) StartFanout(sc trace.SpanContext, start time.Time) *Fanout {
	if !t.tracing || !sc.IsSampled() {
		return nil
	}
	ctx := trace.ContextWithSpanContext(background, sc)
	_, span := t.tracer.Start(ctx, SpanFanout, trace.WithTimestamp(start))
	f := &Fanout{t: t, span: span, start: start}
	f.first.Store(math.MaxInt64)
	// The timer needs no goroutine while it waits, and is gone after a second.
	f.timer = time.AfterFunc(time.Until(start.Add(fanoutLimit)), f.expire)
	return f
}

// Offered tells that a shard has offered the event to n more clients. Some of
// them may have written it already.
func (f *Fanout) Offered(n int) {
	if f != nil {
		f.offered.Add(int64(n))
	}
}

// Skipped tells that n clients that the event is for were lagging or full: they
// will get it from the log.
func (f *Fanout) Skipped(n int) {
	if f != nil {
		f.skipped.Add(int64(n))
	}
}

// Written tells that one client's socket write has returned.
func (f *Fanout) Written(at time.Time) {
	if f == nil {
		return
	}
	after := int64(at.Sub(f.start))
	lower(&f.first, after)
	raise(&f.last, after)
	// Before Dispatched, more may be offered yet. After it, the count is final,
	// and only the last write meets it.
	if n := f.written.Add(1); f.dispatched.Load() && n == f.offered.Load() {
		f.complete()
	}
}

// Dispatched tells that all shards have offered the event. It is called once,
// after the last Offered.
func (f *Fanout) Dispatched() {
	if f == nil {
		return
	}
	f.dispatched.Store(true)
	if f.written.Load() == f.offered.Load() {
		f.complete()
	}
}

func (f *Fanout) complete() {
	f.timer.Stop()
	if f.written.Load() == 0 {
		f.end(time.Now()) // nobody is there
		return
	}
	f.end(f.start.Add(time.Duration(f.last.Load())))
}

// expire runs on the timer, possibly before f.timer is set.
func (f *Fanout) expire() { f.end(f.start.Add(fanoutLimit)) }

func (f *Fanout) end(at time.Time) {
	if f.ended.Swap(true) {
		return
	}
	written, skipped := f.written.Load(), f.skipped.Load()
	pending := max(0, f.offered.Load()-written)
	f.record(written+skipped+pending, at.Sub(f.start))

	attrs := append(make([]attribute.KeyValue, 0, 6),
		AttrFanoutConnections.Int64(written+skipped+pending),
		AttrFanoutWritten.Int64(written),
		AttrFanoutSkipped.Int64(skipped),
		AttrFanoutPending.Int64(pending))
	if written > 0 {
		attrs = append(attrs,
			AttrFanoutFirst.Int64(time.Duration(f.first.Load()).Microseconds()),
			AttrFanoutLast.Int64(time.Duration(f.last.Load()).Microseconds()))
	}
	f.span.SetAttributes(attrs...)
	f.span.End(trace.WithTimestamp(at))
}

// record measures with the span in the context: it becomes the exemplar.
func (f *Fanout) record(connections int64, took time.Duration) {
	ctx := trace.ContextWithSpan(background, f.span)
	f.t.fanoutSize.Record(ctx, connections)
	if f.offered.Load() > 0 {
		f.t.fanoutDuration.Record(ctx, took.Seconds())
	}
}

func lower(v *atomic.Int64, to int64) {
	for old := v.Load(); to < old && !v.CompareAndSwap(old, to); {
		old = v.Load()
	}
}

func raise(v *atomic.Int64, to int64) {
	for old := v.Load(); to > old && !v.CompareAndSwap(old, to); {
		old = v.Load()
	}
}
