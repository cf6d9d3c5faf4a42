package hub

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/supervision"
	"github.com/navehub/nave/telemetry"
)

func TestTooManySlow(t *testing.T) {
	for _, test := range []struct {
		clients, lagging, cut int
		want                  string
	}{
		{0, 0, 0, ""},
		{19, 19, 0, ""}, // it may be they
		{20, 9, 0, ""},
		{20, 10, 0, "10 of 20 clients lag, or were cut off for being slow"},
		{15, 5, 5, "10 of 20 clients lag, or were cut off for being slow"},
		{0, 0, 20, "20 of 20 clients lag, or were cut off for being slow"},
		{10_000, 4_999, 0, ""},
		{9_000, 0, 1_000, ""},
	} {
		got := ""
		if err := tooManySlow(test.clients, test.lagging, test.cut); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

// lagging starts so many clients, of which the first n take nothing.
func lagging(t *testing.T, h *Hub, all, n int) (resume func()) {
	t.Helper()
	var resumes []func()
	for i := range all {
		s := connectTo(t, h, "", "**")
		synctest.Wait()
		if i < n {
			resumes = append(resumes, s.stall())
		}
	}
	for range 50 {
		publish1(t, h, event("cards/1", "moved", strings.Repeat("x", 1000)))
	}
	synctest.Wait()
	return func() {
		for _, resume := range resumes {
			resume()
		}
	}
}

func slowReaders(timeout time.Duration) Config {
	return Config{Client: client.Config{Mailbox: 10 << 10, WriteTimeout: timeout, MaxLag: time.Hour}}
}

func TestDeliveryOpensWhileClientsLag(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, slowReaders(time.Hour))
		delivery := h.Breaker("delivery")
		resume := lagging(t, h, 24, 12)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if delivery.State() != breaker.Closed {
			t.Error("it opens before it is sure")
		}
		time.Sleep(9 * time.Second)
		synctest.Wait()
		row := breakerOf(h, "delivery")
		if delivery.Level() != nave.LevelConserve || row.Level != nave.LevelConserve ||
			!strings.HasSuffix(row.History[0].Why, " looks found something wrong, at last 12 of 24 clients lag, or were cut off for being slow") {
			t.Errorf("row: %+v", row)
		}
		publish1(t, h, event("cards/1", "moved", 1)) // it refuses nobody
		time.Sleep(10 * time.Minute)
		resume()
		time.Sleep(5*time.Second + 3*time.Second + 100*time.Millisecond) // until it looks, and its looks
		synctest.Wait()
		if row := breakerOf(h, "delivery"); row.State != breaker.Closed || delivery.Level() != nave.LevelNormal {
			t.Errorf("row: %+v", row)
		}
	})
}

func TestDeliveryDoesNotCareAboutAFew(t *testing.T) {
	for name, few := range map[string][2]int{"of many": {30, 14}, "in all": {19, 19}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				h := start(t, slowReaders(time.Hour))
				resume := lagging(t, h, few[0], few[1])
				time.Sleep(time.Minute)
				if row := breakerOf(h, "delivery"); len(row.History) > 0 {
					t.Errorf("row: %+v", row)
				}
				resume()
			})
		})
	}
}

func TestDeliveryCountsThoseThatWereCutOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, slowReaders(500*time.Millisecond))
		_ = lagging(t, h, 25, 20)
		time.Sleep(600 * time.Millisecond)
		synctest.Wait()
		if err := h.lookAtClients(); err == nil || err.Error() != "20 of 25 clients lag, or were cut off for being slow" {
			t.Errorf("a look finds %v", err)
		}
		if err := h.lookAtClients(); err != nil {
			t.Errorf("and the next %v", err)
		}
	})
}

// brittle meters panic when the first change of a breaker is counted.
type brittle struct {
	noop.MeterProvider
	changes *atomic.Int64
}

func (b brittle) Meter(string, ...metric.MeterOption) metric.Meter {
	return brittleMeter{changes: b.changes}
}

type brittleMeter struct {
	noop.Meter
	changes *atomic.Int64
}

func (m brittleMeter) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	if name == "nave.breaker.transitions" {
		return brittleCounter{changes: m.changes}, nil
	}
	return noop.Int64Counter{}, nil
}

type brittleCounter struct {
	noop.Int64Counter
	changes *atomic.Int64
}

func (c brittleCounter) Add(context.Context, int64, ...metric.AddOption) {
	if c.changes.Add(1) == 1 {
		panic("as told")
	}
}

func TestDeliveryGoesOnAfterARestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		measured, err := telemetry.New(telemetry.Config{MeterProvider: brittle{changes: new(atomic.Int64)}})
		if err != nil {
			t.Fatal(err)
		}
		config := slowReaders(time.Hour)
		config.Telemetry = measured
		h := start(t, config)
		resume := lagging(t, h, 20, 20)
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if n := h.Stats()[supervision.Breaker].Restarts; n != 1 || h.Breaker("delivery").State() != breaker.Closed {
			t.Errorf("%d restarts; it is %s", n, h.Breaker("delivery").State())
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if h.Breaker("delivery").Level() != nave.LevelConserve {
			t.Error("it does not open any more")
		}
		resume()
	})
}
