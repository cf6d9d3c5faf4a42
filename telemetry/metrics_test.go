package telemetry

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/navehub/nave"
)

var update = flag.Bool("update", false, "write the golden files")

// useAll calls every method that measures, with text made by word.
func useAll(t *testing.T, tel *Telemetry, word func() string) {
	t.Helper()
	const d = 2 * time.Millisecond
	tel.Published(nave.Durable, 3, d)
	tel.Refused(nave.Code(word()))
	tel.Admitted(d)
	tel.Appended(3, 1000, d, d)
	tel.Dispatched(3, 30, d)
	tel.Delivered(word(), true, 3)
	tel.Took(word(), d, d)
	tel.Delivered(word(), false, 3)
	tel.Connected(word())
	tel.Disconnected(word(), word(), time.Minute)
	tel.TurnedAway(word())
	tel.RequestRefused(nave.Code(word()))
	tel.Resumed(word())
	tel.Replayed(word(), 100, d)
	tel.ActorFailed(word(), word())
	tel.BreakerChanged(word())
	tel.Conflicted(1)
	tel.LevelChanged(nave.Level(word()))
	tel.ReceiptLeftOut(word(), 1)
	tel.Received(Receipt{Event: &nave.Event{}, Class: word(), Received: d, Rendered: d})
	tel.Present(2, 1)
	f := tel.StartFanout(spanContext(true), time.Now())
	f.Offered(1)
	f.Written(time.Now())
	f.Dispatched()
	stop, err := tel.Observe(func() Gauges {
		return Gauges{Clients: 9, Lagging: 1, Topics: 2, Head: 7, DurableBytes: 10, MemoryBytes: 20,
			Actors: []ActorGauges{
				{Kind: "topic", Active: 2, Waiting: 3, MailboxBytes: 4, Fullest: 2, Refused: 6, Restarts: 7},
				{Kind: word(), Active: 1, Waiting: 1, Fullest: 1},
				{Kind: word(), Active: 1, Waiting: 1, Fullest: 1},
			}}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
}

// Dashboards and alerts are written against these names: a change here is a
// change for everyone who runs the hub.
func TestCatalogueIsStable(t *testing.T) {
	tel, collect := metered(t, Config{TracerProvider: sdktrace.NewTracerProvider()})
	useAll(t, tel, func() string { return "" })
	var lines []string
	for _, m := range collect() {
		line := fmt.Sprintf("%s %s %q", m.Name, kindOf(m), m.Unit)
		set := points(m)[0].attrs
		for _, kv := range set.ToSlice() {
			line += " " + string(kv.Key)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	golden(t, "metrics.golden", strings.Join(lines, "\n")+"\n")
}

func kindOf(m metricdata.Metrics) string {
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		if data.IsMonotonic {
			return "counter"
		}
		return "updowncounter"
	case metricdata.Histogram[int64], metricdata.Histogram[float64]:
		return "histogram"
	default:
		return "gauge"
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what it was. got:\n%s\nwant:\n%s", name, got, want)
	}
}

func TestMetricsAreBounded(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	known := slices.Concat(transports.values, closeReasons.values, actorKinds, directives.values)
	word := func() string {
		if rng.IntN(2) == 0 {
			return known[rng.IntN(len(known))]
		}
		return fmt.Sprintf("cards/board-%x", rng.Uint64())
	}
	many := make([]string, 1000)
	for i := range many {
		many[i] = word()
	}
	tel, collect := metered(t, Config{ActorKinds: many})
	for range 5000 {
		tel.Published(nave.Durability(rng.UintN(256)), 1, 0)
	}
	for range 5000 {
		useSynchronous(tel, word)
	}
	useAll(t, tel, word)

	for name, m := range collect() {
		ps := points(m)
		if len(ps) > 200 {
			t.Errorf("%s has %d series", name, len(ps))
		}
		for _, p := range ps {
			if p.attrs.HasValue("otel.metric.overflow") {
				t.Errorf("%s overflows", name)
			}
			for _, kv := range p.attrs.ToSlice() {
				if kv.Key != AttrActorKind && strings.Contains(kv.Value.AsString(), "/") {
					t.Errorf("%s has a topic in %s", name, kv.Key)
				}
			}
		}
	}
}

func useSynchronous(tel *Telemetry, word func() string) {
	tel.Refused(nave.Code(word()))
	tel.Delivered(word(), true, 1)
	tel.Took(word(), 0, 0)
	tel.Delivered(word(), false, 1)
	tel.Connected(word())
	tel.Disconnected(word(), word(), 0)
	tel.TurnedAway(word())
	tel.RequestRefused(nave.Code(word()))
	tel.Resumed(word())
	tel.Replayed(word(), 1, 0)
	tel.ActorFailed(word(), word())
	tel.BreakerChanged(word())
	tel.LevelChanged(nave.Level(word()))
	tel.ReceiptLeftOut(word(), 1)
	tel.Received(Receipt{Event: &nave.Event{}, Class: word(), Received: 1, Rendered: 2})
}

// by gives the metric's values by one attribute, "" where it is missing.
func by(key attribute.Key, m metricdata.Metrics) map[string]float64 {
	values := make(map[string]float64)
	for _, p := range points(m) {
		v, _ := p.attrs.Value(key)
		values[v.AsString()] = p.value
	}
	return values
}

func TestDeliveredMeasuresLiveEventsOnly(t *testing.T) {
	tel, collect := metered(t, Config{})
	tel.Delivered("sse", true, 20)
	tel.Took("sse", time.Millisecond, 90*time.Millisecond)
	tel.Delivered("sse", false, 500)
	metrics := collect()

	data := metrics["nave.delivery.duration"].Data.(metricdata.Histogram[float64])
	if p := data.DataPoints[0]; p.Count != 1 || p.Sum != 0.09 {
		t.Errorf("durations: %d, in all %v s", p.Count, p.Sum)
	}
	want := map[string]float64{"live": 20, "replay": 500}
	for range 2 { // what has been counted once is not counted again
		if got := by(AttrDelivery, metrics["nave.delivery.events"]); !maps.Equal(got, want) {
			t.Errorf("events = %v, want %v", got, want)
		}
		metrics = collect()
	}
}

func TestLatenciesHaveTheObjectiveAsABoundary(t *testing.T) {
	tel, collect := metered(t, Config{})
	useSynchronous(tel, func() string { return "sse" })
	data := collect()["nave.delivery.duration"].Data.(metricdata.Histogram[float64])
	if bounds := data.DataPoints[0].Bounds; !slices.Contains(bounds, 0.1) || !slices.Equal(bounds, latencies) {
		t.Errorf("boundaries = %v", bounds)
	}
}

func TestObserveAddsUpWhatSharesALabel(t *testing.T) {
	tel, collect := metered(t, Config{ActorKinds: []string{"billing"}})
	stop, err := tel.Observe(func() Gauges {
		return Gauges{Clients: 9, Actors: []ActorGauges{
			{Kind: "billing", Active: 5, Fullest: 1},
			{Kind: "unheard of", Active: 1, Fullest: 75},
			{Kind: "nor of this", Active: 2, Fullest: 25},
		}}
	})
	if err != nil {
		t.Fatal(err)
	}
	metrics := collect()
	for name, want := range map[string]map[string]float64{
		"nave.connection.active": {"": 9},
		"nave.actor.active":      {"billing": 5, "_OTHER": 3},
		"nave.mailbox.depth.max": {"billing": 1, "_OTHER": 75},
	} {
		if got := by(AttrActorKind, metrics[name]); !maps.Equal(got, want) {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	stop()
	if m, seen := collect()["nave.connection.active"]; seen {
		t.Errorf("still observed after stop: %v", points(m))
	}
	stop() // may be called again
}

func TestTablesFindTheirLabels(t *testing.T) {
	table := newTable(transports, closeReasons, deliveries)
	for _, transport := range transports.values {
		for _, reason := range closeReasons.values {
			want := attribute.NewSet(AttrTransport.String(transport),
				AttrCloseReason.String(reason), AttrDelivery.String("live"))
			got := optionSet(table.of(transport, reason, "live"))
			if !got.Equals(&want) {
				t.Errorf("%s, %s: got %v", transport, reason, got.Encoded(attribute.DefaultEncoder()))
			}
		}
	}
}
