package hub_test

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// A stall holds an actor up where it calls its meters.
type stall struct{ held atomic.Pointer[chan struct{}] }

// begin holds it up until the returned function is called.
func (s *stall) begin() (end func()) {
	held := make(chan struct{})
	s.held.Store(&held)
	return func() {
		s.held.Store(nil)
		close(held)
	}
}

// stalls are meters that measure nothing, and hold the journal up before it
// answers, and dispatchers between two groups.
type stalls struct {
	noop.MeterProvider
	journal, dispatchers *stall
}

func (s stalls) Meter(string, ...metric.MeterOption) metric.Meter {
	return stallingMeter{stalls: map[string]*stall{"nave.append.io": s.journal, "nave.dispatch.events": s.dispatchers}}
}

type stallingMeter struct {
	noop.Meter
	stalls map[string]*stall
}

func (m stallingMeter) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	if s := m.stalls[name]; s != nil {
		return stallingCounter{stall: s}, nil
	}
	return noop.Int64Counter{}, nil
}

type stallingCounter struct {
	noop.Int64Counter
	stall *stall
}

func (c stallingCounter) Add(context.Context, int64, ...metric.AddOption) {
	if held := c.stall.held.Load(); held != nil {
		<-*held
	}
}
