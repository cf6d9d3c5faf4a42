package hub_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/supervision"
)

// A fault is a place in an actor's work where it can be made to panic: where it
// calls its log, its meters, or an extension's handler. So it fails over a real
// message, with others behind it.
type fault struct {
	kind  supervision.Kind
	what  string
	armed atomic.Int64 // how often it will happen
	done  atomic.Int64 // how often it has
}

var errFault = errors.New("as told")

// happen panics if the fault is armed.
func (f *fault) happen() {
	if f != nil && f.due() {
		panic(fmt.Errorf("%s: %w", f.what, errFault))
	}
}

func (f *fault) due() bool {
	for n := f.armed.Load(); n > 0; n = f.armed.Load() {
		if f.armed.CompareAndSwap(n, n-1) {
			f.done.Add(1)
			return true
		}
	}
	return false
}

// faults are all such places in one hub.
type faults struct {
	beforeStore, afterStore, beforeAnswer fault
	admission                             fault
	dispatched                            fault
	connecting, written                   fault
	trimming                              fault
	turning                               fault
	making, handling, refusing            fault

	broken fault // the log says that it is: no panic
}

func newFaults() *faults {
	return &faults{
		beforeStore:  fault{kind: supervision.Journal, what: "before its log stores a group"},
		afterStore:   fault{kind: supervision.Journal, what: "when its log has stored a group"},
		beforeAnswer: fault{kind: supervision.Journal, what: "when it has handed a group on, before it answers"},
		admission:    fault{kind: supervision.Topic, what: "as it admits a publish"},
		dispatched:   fault{kind: supervision.Dispatcher, what: "between two groups"},
		connecting:   fault{kind: supervision.Client, what: "at its start"},
		written:      fault{kind: supervision.Client, what: "when it has written to its socket"},
		trimming:     fault{kind: supervision.Retention, what: "as it applies retention"},
		turning:      fault{kind: supervision.Breaker, what: "as it tells of a change"},
		making:       fault{kind: supervision.Extension, what: "as its handler is made"},
		handling:     fault{kind: supervision.Extension, what: "in its handler"},
		refusing:     fault{kind: supervision.Extension, what: "as its handler returns an error"},
		broken:       fault{what: "a log that breaks"},
	}
}

// meters are those of another provider, with faults.
type meters struct {
	metric.MeterProvider
	faults *faults
}

func (m meters) Meter(name string, o ...metric.MeterOption) metric.Meter {
	return meter{m.MeterProvider.Meter(name, o...), map[string]*fault{
		"nave.append.io":            &m.faults.beforeAnswer,
		"nave.topic.queue.duration": &m.faults.admission,
		"nave.dispatch.events":      &m.faults.dispatched,
		"nave.connection.opened":    &m.faults.connecting,
		"nave.delivery.duration":    &m.faults.written,
		"nave.breaker.transitions":  &m.faults.turning,
	}}
}

type meter struct {
	metric.Meter
	faults map[string]*fault
}

func (m meter) Int64Counter(name string, o ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	c, err := m.Meter.Int64Counter(name, o...)
	return counter{c, m.faults[name]}, err
}

func (m meter) Float64Histogram(name string, o ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	h, err := m.Meter.Float64Histogram(name, o...)
	return histogram{h, m.faults[name]}, err
}

type counter struct {
	metric.Int64Counter
	fault *fault
}

func (c counter) Add(ctx context.Context, n int64, o ...metric.AddOption) {
	c.fault.happen()
	c.Int64Counter.Add(ctx, n, o...)
}

type histogram struct {
	metric.Float64Histogram
	fault *fault
}

func (h histogram) Record(ctx context.Context, v float64, o ...metric.RecordOption) {
	h.fault.happen()
	h.Float64Histogram.Record(ctx, v, o...)
}

// faultyLog is another log, with faults.
type faultyLog struct {
	eventlog.Log
	faults *faults
}

func (f *faults) opener(open eventlog.Opener) eventlog.Opener {
	return func(ctx context.Context) (eventlog.Log, error) {
		log, err := open(ctx)
		if err != nil {
			return nil, err
		}
		return faultyLog{log, f}, nil
	}
}

func (l faultyLog) Append(ctx context.Context, group []eventlog.Batch) ([]eventlog.Outcome, error) {
	l.faults.beforeStore.happen()
	outcomes, err := l.Log.Append(ctx, group)
	l.faults.afterStore.happen()
	if l.faults.broken.due() {
		return nil, fmt.Errorf("%w: %w", eventlog.ErrBroken, errFault)
	}
	return outcomes, err
}

func (l faultyLog) Trim(ctx context.Context, now time.Time) error {
	l.faults.trimming.happen()
	return l.Log.Trim(ctx, now)
}

// The mirror is an extension that publishes once what it handles at least once.
const (
	mirrored    = "cards/0"
	mirrorTopic = "mirror/of/0"
)

func (f *faults) mirror() hub.Extension {
	return hub.Extension{
		Name:    "mirror",
		Filters: nave.Filters{mirrored},
		New: func(out hub.Publisher) hub.Handler {
			f.making.happen()
			return mirror{f, out}
		},
	}
}

type mirror struct {
	faults *faults
	out    hub.Publisher
}

func (m mirror) Handle(ctx context.Context, e nave.Event) error {
	m.faults.handling.happen()
	if m.faults.refusing.due() {
		return errFault
	}
	for { // what the journal's failures cost it is no failure of its own
		_, err := m.out.Publish(ctx, nave.Event{Topic: mirrorTopic, Type: e.Type, ID: fmt.Sprint(e.Offset), Source: "mirror"})
		if err == nil || nave.CodeOf(err) == nave.CodeDraining {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
