package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
	"github.com/navehub/nave/supervision"
)

func TestVitalsSayHowTheHubFares(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, used := pressed(t, Config{})
		if h.Vitals() != nil || len(h.VitalsPast()) != 0 {
			t.Error("there are vitals before the first look")
		}
		used.Store(420)
		for range 3 {
			connectTo(t, h, "", "cards/*")
		}
		begun := time.Now()
		for i := range 20 * 60 * 10 {
			topic := "cards/1"
			if i%5 == 0 {
				topic = "cards/2"
			}
			publish1(t, h, event(topic, "moved", i))
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait()
		v := h.Vitals()
		if v.At.Before(time.Now().Add(-time.Second)) || v.Clients != 3 || v.Heap != 420 || v.HeapBudget != 1000 || v.Head != h.Head() {
			t.Errorf("vitals are %+v", v)
		}
		if v.EventsIn < 9 || v.EventsIn > 11 || v.EventsOut < 27 || v.EventsOut > 33 {
			t.Errorf("%v events in and %v out a second, want 10 and 30", v.EventsIn, v.EventsOut)
		}
		if len(v.Stages) != 4 || v.Stages[1].Name != "append" || v.Stages[1].Count < 99 || v.Stages[1].Count > 101 || v.Stages[3].Count == 0 {
			t.Errorf("stages are %+v", v.Stages)
		}
		if len(v.Topics) != 2 || v.Topics[0].Topic != "cards/1" || v.Topics[0].EventsPerSecond < 7.5 || v.Topics[0].EventsPerSecond > 8.5 {
			t.Errorf("topics are %+v", v.Topics)
		}
		clients := 0
		for _, a := range v.Actors {
			if a.Kind == string(supervision.Client) {
				clients = a.Active
			}
		}
		if clients != 3 {
			t.Errorf("actors are %+v", v.Actors)
		}
		text, err := json.Marshal(v)
		for _, key := range []string{`"at":`, `"service":{"level":"normal"`, `"eventsIn":`, `"stages":[{"name":"topic","p50":`, `"heapBudget":1000`, `"topics":[{"topic":"cards/1","eventsPerSecond":`, `"actors":[{"kind":`} {
			if err != nil || !strings.Contains(string(text), key) {
				t.Errorf("%s lacks %s", text, key)
			}
		}

		past := h.VitalsPast()
		if len(past) != 180 {
			t.Fatalf("%d points, want 15 minutes of them", len(past))
		}
		for i, p := range past {
			if i > 0 && p.At.Sub(past[i-1].At) != 5*time.Second {
				t.Fatalf("point %d is %v after the one before", i, p.At.Sub(past[i-1].At))
			}
			if p.Level != nave.LevelNormal || p.Clients != 3 || p.Heap != 420 {
				t.Fatalf("point %d is %+v", i, p)
			}
		}
		if last := past[179].At; time.Since(last) > 6*time.Second || last.Before(begun) {
			t.Errorf("the last point is of %v", last)
		}
	})
}

func TestOnlyTheBusiestTopicsAreListed(t *testing.T) {
	d := directory{}
	for i := range 1000 {
		tp := &topic{name: nave.Topic(string(rune('a'+i%26)) + "/" + strings.Repeat("x", i/26))}
		tp.published.Store(uint64(i))
		d.topics.Store(tp.name, tp)
	}
	d.looked = begin
	got := d.busiest(begin.Add(10 * time.Second))
	if len(got) != busiestTopics {
		t.Fatalf("%d topics", len(got))
	}
	for i, r := range got {
		if want := float64(999-i) / 10; r.EventsPerSecond != want {
			t.Errorf("place %d: %+v, want %v events a second", i, r, want)
		}
	}
	if again := d.busiest(begin.Add(20 * time.Second)); len(again) != 0 {
		t.Errorf("%v, though nothing has been published since", again)
	}
}

// manyClients is a hub with so many streams.
func manyClients(b *testing.B, n int) *Hub {
	b.Helper()
	h := New(Config{Logger: slog.New(slog.DiscardHandler)}, memlog.Opener(eventlog.Options{}))
	if err := h.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = h.Shutdown(context.Background()) })
	for i := range n {
		request := client.Request{Filters: nave.Filters{nave.Filter(fmt.Sprintf("cards/%d", i))}, Transport: &stream{}}
		if err := h.Connect(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
	return h
}

// What a look costs with 10,000 clients: the parts that go through all of them.
func BenchmarkLook(b *testing.B) {
	h := manyClients(b, 10_000)
	b.Run("mailboxes", func(b *testing.B) {
		for b.Loop() {
			h.system.Peek()
		}
	})
	b.Run("connections", func(b *testing.B) {
		for b.Loop() {
			h.registry.Snapshot().Count()
		}
	})
	b.Run("telemetry", func(b *testing.B) {
		window := h.telemetry.Window()
		for b.Loop() {
			window.Slide(time.Second)
			recent := window.Last(10)
			stages(&recent)
		}
	})
}
