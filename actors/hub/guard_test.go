package hub

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
	"github.com/navehub/nave/registry"
)

// rules has a topic of each durability.
var rules = Config{Topics: []TopicRule{{Filter: "ui/*", Durability: nave.Transient}, {Filter: "session/*", Durability: nave.Memory}}}

// publishTo is what the publisher of one event hears.
func publishTo(t *testing.T, h *Hub, topic string) error {
	t.Helper()
	_, err := h.Publish(t.Context(), event(topic, "moved", 1))
	return err
}

// breakerOf is the row of a breaker.
func breakerOf(h *Hub, name string) registry.Breaker {
	time.Sleep(2 * registry.DefaultFlush)
	synctest.Wait()
	row, _ := h.registry.Snapshot().Breaker(name)
	return row
}

// reopenable is a log that can be opened as long as it is told so.
func reopenable() (open eventlog.Opener, fail func(), can *atomic.Bool) {
	same, faults := faulty()
	can = new(atomic.Bool)
	can.Store(true)
	return func(ctx context.Context) (eventlog.Log, error) {
			if !can.Load() {
				return nil, errors.New("no disk")
			}
			return same(ctx)
		}, func() {
			faults(func() error { return eventlog.ErrBroken })
		}, can
}

func TestBrokenLogRefusesAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		open, fail, can := reopenable()
		h := startOn(t, rules, open)
		can.Store(false)
		fail()
		_ = publishTo(t, h, "cards/1")
		time.Sleep(time.Second)
		synctest.Wait()
		for _, topic := range []string{"cards/1", "session/1"} {
			begun := time.Now()
			var refusal *nave.Error
			err := publishTo(t, h, topic)
			if !errors.As(err, &refusal) || refusal.Code != nave.CodeUnavailable || !strings.HasSuffix(refusal.Detail, ": the log is being reopened: nothing was stored") ||
				!strings.HasPrefix(refusal.Detail, "the breaker log is open until 2000-01-01T00:00:0") || refusal.RetryAfter > time.Second {
				t.Errorf("%s is answered %v", topic, err)
			}
			if !time.Now().Equal(begun) {
				t.Errorf("%s had to wait for that", topic)
			}
		}
		if err := publishTo(t, h, "ui/1"); err != nil {
			t.Errorf("a transient event: %v", err)
		}
		if row := breakerOf(h, "log"); row.State != breaker.Open || len(row.History) != 1 || row.Until.Before(time.Now()) {
			t.Errorf("row: %+v", row)
		}
		can.Store(true)
		for h.Ready() != nil {
			time.Sleep(time.Millisecond)
			synctest.Wait()
		}
		if err := publishTo(t, h, "cards/1"); err != nil {
			t.Errorf("the log is open again: %v", err)
		}
		if row := breakerOf(h, "log"); row.State != breaker.Closed {
			t.Errorf("row: %+v", row)
		}
	})
}

func TestResetOfTheLogTriesItAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		open, fail, can := reopenable()
		h := startOn(t, rules, open)
		can.Store(false)
		fail()
		_ = publishTo(t, h, "cards/1")
		time.Sleep(time.Minute) // the next try is up to 5 seconds away
		for range 10 {
			if err := h.ResetBreaker(t.Context(), "log", "alice"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if breakerOf(h, "log").State != breaker.Open {
			t.Error("it is closed although the log is not open")
		}
		can.Store(true)
		begun := time.Now()
		if err := h.ResetBreaker(t.Context(), "log", "alice"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := publishTo(t, h, "cards/1"); err != nil || !time.Now().Equal(begun) {
			t.Errorf("a publish: %v", err)
		}
		if err := h.ResetBreaker(t.Context(), "nobody's", "alice"); nave.CodeOf(err) != nave.CodeNotFound {
			t.Errorf("reset of none: %v", err)
		}
	})
}

// A disk that stutters costs publishers time; behind one that has stalled they do
// not wait. When it answers, so does the hub.
func TestStalledDiskRefusesAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var delay atomic.Int64
		log := slowLog{memlog.Open(eventlog.Options{}), &delay}
		h := startOn(t, rules, func(context.Context) (eventlog.Log, error) { return log, nil })
		delay.Store(int64(20 * time.Second))
		answers := make(chan error, 2)
		publish := func() { answers <- publishTo(t, h, "cards/1") }
		go publish()
		time.Sleep(4 * time.Second)
		go publish()
		time.Sleep(2 * time.Second)
		if n := len(answers); n != 0 {
			t.Errorf("%d answers from a disk that has stalled", n)
		}
		begun := time.Now()
		if err := publishTo(t, h, "session/1"); err == nil || err.Error() != "the breaker log is open: the disk has not answered for 5s: nothing was stored" || !time.Now().Equal(begun) {
			t.Errorf("behind a disk that has stalled: %v", err)
		}
		if row := breakerOf(h, "log"); row.State != breaker.Open {
			t.Errorf("row: %+v", row)
		}
		delay.Store(0)
		time.Sleep(14 * time.Second)
		synctest.Wait()
		if err := errors.Join(<-answers, <-answers, publishTo(t, h, "session/1")); err != nil {
			t.Errorf("when it answers again: %v", err)
		}
		if row := breakerOf(h, "log"); row.State != breaker.Closed {
			t.Errorf("row: %+v", row)
		}
		delay.Store(int64(2 * time.Second))
		if err := publishTo(t, h, "cards/1"); err != nil {
			t.Errorf("a slow write: %v", err)
		}
		delay.Store(0)
		time.Sleep(time.Second)
		if row := breakerOf(h, "log"); row.Slow != 1 || row.State != breaker.Closed {
			t.Errorf("row: %+v", row)
		}
	})
}

func TestBreakersOfTheApplication(t *testing.T) {
	bubble(t, func(t *testing.T) {
		mail := breaker.New(breaker.Config{Name: "mail", MinCalls: 5})
		h := start(t, Config{Breakers: []*breaker.Breaker{mail}})
		synctest.Wait()
		if h.Breaker("mail") != mail || h.Breaker("log") == nil || h.Breaker("nobody's") != nil {
			t.Error("they are not found by their names")
		}
		for range 5 {
			mail.Done(errors.New("no answer"), 0)
		}
		if row := breakerOf(h, "mail"); row.State != breaker.Open || h.gauges().OpenBreakers != 1 {
			t.Errorf("row: %+v", row)
		}
		if err := h.ResetBreaker(t.Context(), "mail", "alice"); err != nil || mail.Allow() != nil {
			t.Errorf("reset: %v", err)
		}
	})
}

func TestBreakersNeedNamesOfTheirOwn(t *testing.T) {
	for _, names := range [][]string{{"log"}, {"a", "a"}, {"a/b"}, {""}} {
		var config Config
		for _, name := range names {
			config.Breakers = append(config.Breakers, breaker.New(breaker.Config{Name: name}))
		}
		if err := New(config, memlog.Opener(eventlog.Options{})).Start(t.Context()); err == nil {
			t.Errorf("breakers %q are accepted", names)
		}
	}
}
