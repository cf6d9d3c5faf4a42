package telemetry

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// figures are connections, written, skipped, pending.
type figures [4]int64

func figuresOf(t *testing.T, s sdktrace.ReadOnlySpan) (f figures) {
	t.Helper()
	for i, key := range []attribute.Key{AttrFanoutConnections, AttrFanoutWritten, AttrFanoutSkipped, AttrFanoutPending} {
		f[i] = number(t, s, key)
	}
	return f
}

func TestFanoutEndsWithTheLastWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel, spans := traced(t)
		start := time.Now()
		f := tel.StartFanout(spanContext(true), start)
		f.Offered(2)
		f.Written(start.Add(5 * time.Millisecond))
		f.Offered(1)
		f.Skipped(4)
		f.Written(start.Add(3 * time.Millisecond)) // writes are told out of order
		f.Dispatched()
		if len(spans.Ended()) != 0 {
			t.Fatal("ended with a write missing")
		}
		f.Written(start.Add(4 * time.Millisecond))

		s := spans.Ended()[0]
		if got, want := figuresOf(t, s), (figures{7, 3, 4, 0}); got != want {
			t.Errorf("figures = %v, want %v", got, want)
		}
		if first, last := number(t, s, AttrFanoutFirst), number(t, s, AttrFanoutLast); first != 3000 || last != 5000 {
			t.Errorf("first = %d, last = %d", first, last)
		}
		if took := s.EndTime().Sub(s.StartTime()); took != 5*time.Millisecond {
			t.Errorf("span took %v", took)
		}
		time.Sleep(2 * time.Second)
		if n := len(spans.Ended()); n != 1 {
			t.Errorf("ended %d times", n)
		}
	})
}

func TestFanoutDoesNotWaitForAStalledSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel, spans := traced(t)
		f := tel.StartFanout(spanContext(true), time.Now().Add(-300*time.Millisecond))
		f.Offered(2)
		f.Written(time.Now())
		f.Dispatched()
		time.Sleep(700*time.Millisecond - time.Nanosecond)
		synctest.Wait()
		if len(spans.Ended()) != 0 {
			t.Fatal("ended early")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		s := spans.Ended()[0]
		if got, want := figuresOf(t, s), (figures{2, 1, 0, 1}); got != want {
			t.Errorf("figures = %v, want %v", got, want)
		}
		if took := s.EndTime().Sub(s.StartTime()); took != time.Second {
			t.Errorf("span took %v", took)
		}
	})
}

func TestFanoutIsMeasuredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel, collect := metered(t, Config{TracerProvider: sdktrace.NewTracerProvider()})
		f := tel.StartFanout(spanContext(true), time.Now())
		f.Offered(1)
		f.Dispatched()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		f.Written(time.Now()) // too late
		data := collect()["nave.fanout.duration"].Data.(metricdata.Histogram[float64])
		if p := data.DataPoints[0]; p.Count != 1 || p.Sum != 1 {
			t.Errorf("%d fan-outs, in all %v s", p.Count, p.Sum)
		}
	})
}

func TestFanoutToNobodyEndsAtOnce(t *testing.T) {
	tel, spans := traced(t)
	f := tel.StartFanout(spanContext(true), time.Now())
	f.Skipped(1)
	f.Dispatched()
	if got, want := figuresOf(t, spans.Ended()[0]), (figures{1, 0, 1, 0}); got != want {
		t.Errorf("figures = %v, want %v", got, want)
	}
}

func TestFanoutOfAnOldEventEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel, spans := traced(t)
		tel.StartFanout(spanContext(true), time.Now().Add(-time.Hour)).Offered(1)
		synctest.Wait()
		if len(spans.Ended()) != 1 {
			t.Error("the span is still open")
		}
	})
}

func TestFanoutOfAnUnsampledEventIsNil(t *testing.T) {
	tel, _ := traced(t)
	for name, f := range map[string]*Fanout{
		"unsampled":   tel.StartFanout(spanContext(false), time.Now()),
		"no provider": Disabled().StartFanout(spanContext(true), time.Now()),
	} {
		if f != nil {
			t.Errorf("%s: got a Fanout", name)
		}
		f.Offered(1)
		f.Skipped(1)
		f.Written(time.Now())
		f.Dispatched()
	}
}

// Clients write while their shard, and others, still offer.
func TestFanoutIsConcurrent(t *testing.T) {
	const shards, clients = 8, 500
	tel, spans := traced(t)
	for range 20 {
		spans.Reset()
		start := time.Now()
		f := tel.StartFanout(spanContext(true), start)
		var offering, writing sync.WaitGroup
		for range shards {
			offering.Go(func() {
				writing.Go(func() {
					for i := range clients {
						f.Written(start.Add(time.Duration(i+1) * time.Microsecond))
					}
				})
				f.Skipped(1)
				f.Offered(clients)
			})
		}
		offering.Wait()
		f.Dispatched()
		writing.Wait()

		if n := len(spans.Ended()); n != 1 {
			t.Fatalf("ended %d times", n)
		}
		s := spans.Ended()[0]
		if got, want := figuresOf(t, s), (figures{shards*clients + shards, shards * clients, shards, 0}); got != want {
			t.Errorf("figures = %v, want %v", got, want)
		}
		if first, last := number(t, s, AttrFanoutFirst), number(t, s, AttrFanoutLast); first != 1 || last != clients {
			t.Errorf("first = %d, last = %d", first, last)
		}
	}
}
