package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
	"github.com/navehub/nave/registry"
	"github.com/navehub/nave/telemetry"
	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// A patient is a hub in RAM, with fake time, whose topics fail when they are told to.
type patient struct {
	*hub.Hub
	*testing.T
	faults *faults
}

func ill(t *testing.T, test func(p *patient)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &patient{T: t, faults: newFaults()}
		measured, err := telemetry.New(telemetry.Config{MeterProvider: meters{sdkmetric.NewMeterProvider(), p.faults}})
		if err != nil {
			t.Fatal(err)
		}
		p.Hub = hub.New(hub.Config{
			Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Telemetry: measured,
		}, memlog.Opener(eventlog.Options{}))
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := p.Shutdown(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Microsecond) // fake: lets the goroutine of protoactor's dead letters end
		})
		test(p)
	})
}

// publish is what the publisher of a batch hears, which has an event for each topic.
func (p *patient) publish(topics ...nave.Topic) *nave.Error {
	p.Helper()
	var events []nave.Event
	for _, topic := range topics {
		events = append(events, nave.Event{Topic: topic, Type: "moved"})
	}
	_, err := p.Publish(p.Context(), events...)
	synctest.Wait()
	var refused *nave.Error
	if err != nil && !errors.As(err, &refused) {
		p.Fatalf("a publish is answered %v", err)
	}
	return refused
}

// fail has the next publishes to a topic fail, and makes them.
func (p *patient) fail(topic nave.Topic, times int) {
	p.Helper()
	for range times {
		p.faults.admission.armed.Add(1)
		if err := p.publish(topic); err == nil || err.Code != nave.CodeUnavailable {
			p.Errorf("a publish whose topic fails is answered %v", err)
		}
	}
}

func (p *patient) row(name string) (registry.Breaker, bool) {
	time.Sleep(2 * registry.DefaultFlush)
	synctest.Wait()
	return p.Registry().Snapshot().Breaker(name)
}

// breakers is how many there are.
func (p *patient) breakers() int {
	time.Sleep(2 * registry.DefaultFlush)
	synctest.Wait()
	return len(slices.Collect(p.Registry().Snapshot().Breakers()))
}

const failingTopic, itsBreaker = "cards/a~1/b", "topic-cards~1a~01~1b"

func TestTopicThatFailsIsRefusedAtOnce(t *testing.T) {
	ill(t, func(p *patient) {
		p.publish(failingTopic)
		if _, ok := p.row(itsBreaker); ok {
			t.Error("a topic that is well has a breaker")
		}
		p.fail(failingTopic, 5)
		begun, fired := time.Now(), p.faults.admission.done.Load()
		p.faults.admission.armed.Add(1)
		e := p.publish(failingTopic)
		if e == nil || e.Code != nave.CodeUnavailable || e.RetryAfter < 900*time.Millisecond || e.RetryAfter > 1500*time.Millisecond ||
			!regexp.MustCompile(`^the breaker topic-cards~1a~01~1b is open until 2000-01-01T00:00:0\S+Z: 5 of 5 calls failed: nothing was stored$`).MatchString(e.Detail) {
			t.Errorf("a publish is answered %+v", e)
		}
		if !time.Now().Equal(begun) || p.faults.admission.done.Load() != fired {
			t.Error("it was not refused at once")
		}
		p.faults.admission.armed.Store(0)
		for _, others := range [][]nave.Topic{{"cards/a"}, {"cards/a~1"}, {"cards/a", failingTopic}} {
			if err := p.publish(others...); err != nil {
				t.Errorf("%v is answered %v", others, err)
			}
		}
		if row, ok := p.row(itsBreaker); !ok || row.State != breaker.Open || row.Level != "" || p.Breaker(itsBreaker) == nil {
			t.Errorf("row: %+v", row)
		}
		time.Sleep(e.RetryAfter)
		synctest.Wait()
		if err := p.publish(failingTopic); err != nil { // the probe
			t.Errorf("when its time has passed: %v", err)
		}
		if row, _ := p.row(itsBreaker); row.State != breaker.Closed {
			t.Errorf("row: %+v", row)
		}
		time.Sleep(50 * time.Second)
		if row, ok := p.row(itsBreaker); !ok {
			t.Errorf("it is gone too soon: %+v", row)
		}
	})
}

// A breaker is there for as long as it is needed, and a topic that fails again gets
// another.
func TestBreakerOfATopicGoes(t *testing.T) {
	ill(t, func(p *patient) {
		for range 3 {
			p.fail(failingTopic, 1)
			if _, ok := p.row(itsBreaker); !ok {
				t.Fatal("a topic that has failed has no breaker")
			}
			for range 90 { // busy, and well
				time.Sleep(time.Second)
				if err := p.publish(failingTopic); err != nil {
					t.Error(err)
				}
			}
			if row, ok := p.row(itsBreaker); ok || p.Breaker(itsBreaker) != nil {
				t.Errorf("it is still there: %+v", row)
			}
			if err := p.ResetBreaker(p.Context(), itsBreaker, "alice"); nave.CodeOf(err) != nave.CodeNotFound {
				t.Errorf("reset of none: %v", err)
			}
		}
		p.fail(failingTopic, 5)
		if e := p.publish(failingTopic); e == nil {
			t.Error("it is not refused the next time")
		}
	})
}

func TestBreakerOfATopicIsReset(t *testing.T) {
	ill(t, func(p *patient) {
		p.fail(failingTopic, 5)
		if p.publish(failingTopic) == nil {
			t.Error("it is not open")
		}
		if err := p.ResetBreaker(p.Context(), itsBreaker, "alice"); err != nil {
			t.Error(err)
		}
		if err := p.publish(failingTopic); err != nil {
			t.Errorf("after a reset: %v", err)
		}
		if row, _ := p.row(itsBreaker); row.Why != "it was reset by alice" {
			t.Errorf("row: %+v", row)
		}
	})
}

// A topic that fails once too often is stopped. The actor that takes its place has
// the same breaker, and its first publish is the probe.
func TestBreakerOutlivesItsTopic(t *testing.T) {
	ill(t, func(p *patient) {
		p.fail(failingTopic, 5)
		e := p.publish(failingTopic)
		if e == nil {
			t.Fatal("it is not open")
		}
		time.Sleep(e.RetryAfter)
		synctest.Wait()
		p.fail(failingTopic, 1) // the sixth: the topic is stopped
		if e = p.publish(failingTopic); e == nil {
			t.Fatal("it is not open again")
		}
		time.Sleep(e.RetryAfter)
		synctest.Wait()
		p.fail(failingTopic, 1) // by another actor
		if e = p.publish(failingTopic); e == nil {
			t.Fatal("the new actor is not guarded")
		}
		time.Sleep(e.RetryAfter)
		synctest.Wait()
		if err := p.publish(failingTopic); err != nil {
			t.Errorf("the probe is answered %v", err)
		}
		if row, _ := p.row(itsBreaker); row.State != breaker.Closed || len(row.History) != 7 {
			t.Errorf("row: %+v", row)
		}
	})
}

func TestBreakersOfTopicsAreBounded(t *testing.T) {
	ill(t, func(p *patient) {
		for i := range 150 {
			p.fail(nave.Topic("cards/"+strconv.Itoa(i)), 1)
		}
		if n := p.breakers(); n != 102 { // with log and delivery
			t.Errorf("%d breakers", n)
		}
		if err := p.publish("cards/149"); err != nil {
			t.Errorf("a topic without one: %v", err)
		}
		time.Sleep(2 * time.Minute)
		if n := p.breakers(); n != 2 {
			t.Errorf("%d breakers are left", n)
		}
	})
}

// A breaker whose actor fails starts again closed: its topic is tried, and judged anew.
func TestBreakerOfATopicFails(t *testing.T) {
	ill(t, func(p *patient) {
		p.faults.turning.armed.Add(1)
		p.fail(failingTopic, 5)
		time.Sleep(2 * time.Second)
		if n := p.faults.turning.done.Load(); n != 1 {
			t.Fatalf("it has failed %d times", n)
		}
		if err := p.publish(failingTopic); err != nil {
			t.Errorf("a publish is answered %v", err)
		}
		if row, ok := p.row(itsBreaker); !ok || row.State != breaker.Closed {
			t.Errorf("row: %+v", row)
		}
		time.Sleep(time.Minute) // a topic may fail 5 times within one
		p.publish(failingTopic) // so that it has a breaker, or none
		p.fail(failingTopic, 5)
		if p.publish(failingTopic) == nil {
			t.Error("it does not open any more")
		}
	})
}

// What is no failure of the topic's opens nothing: the publisher's own fault, a
// conflict, a limit, a deadline, a log that does not work.
func TestRefusalsAreNoFailuresOfTheTopic(t *testing.T) {
	ill(t, func(p *patient) {
		wrong := uint64(7)
		over, cancel := context.WithCancel(p.Context())
		cancel()
		for range 20 {
			_, _ = p.Publish(p.Context(), nave.Event{Topic: "cards/1", Type: "moved", Key: "k", IfVersion: &wrong})
			_, _ = p.Publish(p.Context(), nave.Event{Topic: "cards/1"})
			_, _ = p.Publish(over, nave.Event{Topic: "cards/1", Type: "moved"})
		}
		if n := p.breakers(); n != 2 {
			t.Errorf("%d breakers", n)
		}
		p.fail("cards/1", 1)
		for range 20 {
			_, _ = p.Publish(p.Context(), nave.Event{Topic: "cards/1", Type: "moved", Key: "k", IfVersion: &wrong})
		}
		if row, ok := p.row("topic-cards~11"); !ok || row.State != breaker.Closed || row.Failures != 1 {
			t.Errorf("row: %+v", row)
		}
	})
}

// Over HTTP its name is one segment of a path.
func TestBreakerOfATopicIsAdministered(t *testing.T) {
	g := startTarget(t, t.TempDir())
	defer func() {
		if err := g.stop(); err != nil {
			t.Error(err)
		}
	}()
	publish := func() harness.Answer {
		a, err := harness.Publish(trial.Soon(t), g.url("/v1/events"), harness.Event{Topic: failingTopic, Type: "moved"})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	path := g.url("/v1/admin/breakers/" + itsBreaker)
	state := func() registry.BreakerState {
		status, text, err := harness.Get(trial.Soon(t), path)
		var row struct{ State registry.BreakerState }
		if err != nil || status == http.StatusOK && json.Unmarshal([]byte(text), &row) != nil {
			t.Errorf("%d %s %v", status, text, err)
		}
		return row.State
	}
	for n := 0; state() != breaker.Open && n < 1000; n++ {
		if g.faults.admission.done.Load() < 5 {
			g.faults.admission.armed.Store(1)
			publish()
		}
		time.Sleep(time.Millisecond)
	}
	if a := publish(); a.Status != http.StatusServiceUnavailable || a.Code != "unavailable" || a.RetryAfter == "" ||
		!strings.HasPrefix(a.Detail, "the breaker "+itsBreaker+" is open until 20") {
		t.Errorf("a publish is answered %+v", a)
	}
	req, err := http.NewRequestWithContext(trial.Soon(t), http.MethodDelete, path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if a := publish(); resp.StatusCode != http.StatusNoContent || a.Status != http.StatusOK {
		t.Errorf("reset: %s; a publish is answered %+v", resp.Status, a)
	}
}
