package hub

import (
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/navehub/nave"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/receipt"
	"github.com/navehub/nave/telemetry"
)

// A measured hub says what has become of receipts.
type measured struct {
	*Hub
	t      *testing.T
	reader *metric.ManualReader
}

func startMeasured(t *testing.T, config Config) measured {
	t.Helper()
	reader := metric.NewManualReader()
	tel, err := telemetry.New(telemetry.Config{
		MeterProvider: metric.NewMeterProvider(metric.WithReader(reader)), Classes: Classes(config.Topics),
	})
	if err != nil {
		t.Fatal(err)
	}
	config.Telemetry = tel
	return measured{start(t, config), t, reader}
}

// results counts receipts by what has become of them, and latencies by class.
func (m measured) results() (receipts map[string]int64, received map[string]uint64) {
	m.t.Helper()
	var rm metricdata.ResourceMetrics
	if err := m.reader.Collect(m.t.Context(), &rm); err != nil {
		m.t.Fatal(err)
	}
	receipts, received = make(map[string]int64), make(map[string]uint64)
	for _, scope := range rm.ScopeMetrics {
		for _, one := range scope.Metrics {
			switch one.Name {
			case "nave.delivery.receipts":
				for _, p := range one.Data.(metricdata.Sum[int64]).DataPoints {
					v, _ := p.Attributes.Value(telemetry.AttrReceipt)
					receipts[v.AsString()] = p.Value
				}
			case "nave.delivery.received.duration":
				for _, p := range one.Data.(metricdata.Histogram[float64]).DataPoints {
					v, _ := p.Attributes.Value(telemetry.AttrTopicClass)
					received[v.AsString()] = p.Count
				}
			}
		}
	}
	return receipts, received
}

// reportNow says that events were received a moment ago, and sends it at once.
func reportNow(connection uint64, events ...uint64) receipt.Report {
	now := time.Now()
	sent := float64(now.UnixMilli())
	r := receipt.Report{Connection: connection, Arrived: now, Sent: sent}
	for _, offset := range events {
		r.Receipts = append(r.Receipts, receipt.Receipt{Event: offset, Received: sent, Rendered: sent})
	}
	return r
}

func TestReceiptsCountByClass(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := startMeasured(t, Config{Receipts: 1, Topics: []TopicRule{{Filter: "cards/**"}, {Filter: "session/**", Durability: nave.Memory}}})
		connectTo(t, m.Hub, "", "**")
		synctest.Wait()
		time.Sleep(time.Millisecond)
		publish1(t, m.Hub, event("cards/1", "moved", 1))
		publish1(t, m.Hub, event("session/1", "idle", 1), event("other", "t", 1))
		m.Receive(reportNow(1, 1, 2, 3), m.config.Authority.Anonymous())
		receipts, _ := m.results()
		if want := map[string]int64{"forbidden": 3}; !maps.Equal(receipts, want) { // nobody may read anything here
			t.Errorf("receipts = %v, want %v", receipts, want)
		}
		m.Receive(reportNow(0, 1, 2, 3), bearer("alice", "**"))
		receipts, received := m.results()
		if want := map[string]int64{"forbidden": 3, "counted": 3}; !maps.Equal(receipts, want) {
			t.Errorf("receipts = %v, want %v", receipts, want)
		}
		if want := map[string]uint64{"cards/**": 1, "session/**": 1, "default": 1}; !maps.Equal(received, want) {
			t.Errorf("received = %v, want %v", received, want)
		}
	})
}

func TestReceiptsThatSayNothingAreLeftOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := startMeasured(t, Config{Receipts: 0.5, Limits: Limits{RecentBytes: 16 << 10}})
		reader := bearer("alice", "cards/*")
		publish1(t, m.Hub, event("cards/1", "moved", "before the stream")) // 1
		publish1(t, m.Hub, event("cards/1", "moved", "before the stream")) // 2
		time.Sleep(time.Second)
		appear(t, m.Hub, reader)
		appear(t, m.Hub, bearer("bob", "cards/*"))
		for range 3 {
			publish1(t, m.Hub, event("cards/1", "moved", 1), event("secret", "t", 1)) // 3 and 4, 5 and 6, 7 and 8
		}
		publish1(t, m.Hub, event("cards/1", "moved", 1), event("cards/1", "moved", 1)) // 9 and 10
		m.Receive(reportNow(1, 2, 4, 9, 10, 100, 0), reader)
		m.Receive(reportNow(1, 10, 10), reader)
		m.Receive(reportNow(2, 10), reader)
		late := reportNow(1, 10)
		late.Sent += 1000
		late.Receipts[0].Rendered -= 1
		m.Receive(late, reader)
		want := map[string]int64{
			"replayed":  1, // 2
			"forbidden": 2, // 4, and of a stream of another's
			"unasked":   1, // 9
			"unknown":   2, // 100 and 0
			"absurd":    1,
			"counted":   1,
			"again":     2, // 10
		}
		if got, _ := m.results(); !maps.Equal(got, want) {
			t.Errorf("receipts = %v, want %v", got, want)
		}
		for range 50 {
			publish1(t, m.Hub, event("cards/1", "moved", "pushes out what is older"))
		}
		m.Receive(reportNow(1, 10), reader)
		if got, _ := m.results(); got["unknown"] != 3 {
			t.Errorf("receipts = %v, want one more of an event that is not at hand", got)
		}
	})
}

// Receipts are the first that is given up, and who sends them is told so.
func TestReceiptsAreAskedFor(t *testing.T) {
	for share, every := range map[float64]int{0: 0, 0.001: 1000, 0.01: 100, 0.3: 3, 0.7: 1, 1: 1, 5: 1} {
		h := New(Config{Receipts: share}, nil)
		if got := h.receiptsWanted(); got != every {
			t.Errorf("of a share of %v: every %d, want %d", share, got, every)
		}
	}
	bubble(t, func(t *testing.T) {
		m := startMeasured(t, Config{Receipts: 1})
		s := connectTo(t, m.Hub, "", "**")
		synctest.Wait()
		for _, level := range []nave.Level{nave.LevelShed, nave.LevelNormal} {
			if err := m.Pin(t.Context(), &Pin{Level: level}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		var said []string
		for _, e := range s.events(t) {
			said = append(said, string(e.Data))
		}
		want := []string{
			`{"status":"live","cursor":"` + cursorAt(m.Hub, 0) + `","connection":"1","heartbeatMs":15000,"receipts":1}`,
			`{"level":"shed","reason":"an operator holds it","heartbeatMs":15000}`,
			`{"level":"normal","reason":"an operator holds it","heartbeatMs":15000,"receipts":1}`,
		}
		if len(said) != 3 || said[0] != want[0] || said[1] != want[1] || said[2] != want[2] {
			t.Errorf("said %v, want %v", said, want)
		}
		offset := publish1(t, m.Hub, event("cards/1", "moved", 1)).Events[0].Offset
		if err := m.Pin(t.Context(), &Pin{Level: nave.LevelShed}); err != nil {
			t.Fatal(err)
		}
		m.Receive(reportNow(0, offset), &auth.Identity{Grant: auth.Everything})
		if got, _ := m.results(); !maps.Equal(got, map[string]int64{"unasked": 1}) {
			t.Errorf("receipts at %s = %v", nave.LevelShed, got)
		}
	})
}

// What has been reported is remembered for a while, and never more than so much of it.
func TestSightingsAreBounded(t *testing.T) {
	var s sightings
	for i := range uint64(10 * mostSightings) {
		if !s.first(sighting{event: i}) || s.first(sighting{event: i}) || i > 0 && s.first(sighting{event: i - 1}) {
			t.Fatalf("event %d", i)
		}
	}
	if n := len(s.new) + len(s.before); n > 2*mostSightings {
		t.Errorf("%d are remembered", n)
	}
}

// A stream has received nothing of what it does not follow, though its bearer may read it.
func TestReceiptsAreOfWhatTheStreamFollows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := startMeasured(t, Config{Receipts: 1})
		reader := bearer("alice", "**")
		appear(t, m.Hub, reader) // follows cards/*
		publish1(t, m.Hub, event("cards/1", "moved", 1), event("users/1", "named", 1))
		m.Receive(reportNow(1, 1, 2), reader)
		if got, _ := m.results(); !maps.Equal(got, map[string]int64{"counted": 1, "forbidden": 1}) {
			t.Errorf("receipts = %v", got)
		}
	})
}
