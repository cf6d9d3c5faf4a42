package hub

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/supervision"
)

// ailing is a breaker whose actor panics when it looks, so many times.
func ailing(times int64) *breaker.Breaker {
	left := new(atomic.Int64)
	left.Store(times)
	return breaker.New(breaker.Config{Name: "mail", Sample: func() error {
		if left.Add(-1) >= 0 {
			panic("as told")
		}
		return nil
	}})
}

func breakerPanics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		mail := ailing(3)
		h := start(t, Config{Breakers: []*breaker.Breaker{mail}})
		time.Sleep(time.Minute)
		if n := h.Stats()[supervision.Breaker].Restarts; n != 3 || mail.State() != breaker.Closed {
			t.Errorf("%d restarts, want 3; it is %s", n, mail.State())
		}
		for range 20 {
			mail.Done(errors.New("no answer"), 0)
		}
		synctest.Wait()
		if mail.State() != breaker.Open {
			t.Errorf("it is %s after 20 failures", mail.State())
		}
		if err := h.Ready(); err != nil {
			t.Errorf("Ready: %v", err)
		}
	})
}

func breakerKeepsPanicking(t *testing.T) {
	bubble(t, func(t *testing.T) {
		mail := ailing(100)
		h := start(t, Config{Breakers: []*breaker.Breaker{mail}})
		time.Sleep(time.Minute)
		for range 100 {
			mail.Done(errors.New("no answer"), 0)
		}
		synctest.Wait()
		if err := mail.Allow(); err != nil {
			t.Errorf("one that is off refuses: %v", err)
		}
		if row := breakerOf(h, "mail"); row.State != breaker.Closed || row.Why != "its actor has ended, and lets every call through" {
			t.Errorf("row: %+v", row)
		}
		if err := h.ResetBreaker(t.Context(), "mail", "alice"); nave.CodeOf(err) != nave.CodeUnavailable {
			t.Errorf("reset: %v", err)
		}
		publish1(t, h, event("cards/1", "moved", 1))
		if err := h.Ready(); err != nil {
			t.Errorf("Ready: %v", err)
		}
	})
}

func breakersPanic(t *testing.T) {
	bubble(t, func(t *testing.T) {
		mail := breaker.New(breaker.Config{Name: "mail"})
		h := start(t, Config{Breakers: []*breaker.Breaker{mail}})
		for range supervision.PolicyOf(supervision.Breakers).Max {
			h.FailBreakers()
			synctest.Wait()
		}
		if n := h.Stats()[supervision.Breaker]; n.Active != 3 || n.Restarts != 0 {
			t.Errorf("of 3 breakers %d are there, with %d restarts", n.Active, n.Restarts)
		}
		if err := h.ResetBreaker(t.Context(), "mail", "alice"); err != nil {
			t.Errorf("reset: %v", err)
		}
		if err := h.Ready(); err != nil {
			t.Errorf("Ready: %v", err)
		}
	})
}

func governorPanics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		if err := h.Pin(t.Context(), &Pin{Level: nave.LevelConserve}); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			h.FailGovernor()
			time.Sleep(time.Second)
		}
		if got := h.Level(); got != nave.LevelConserve || h.Stats()[supervision.Governor].Restarts != 3 {
			t.Errorf("the level is %s after %d restarts", got, h.Stats()[supervision.Governor].Restarts)
		}
		if err := h.Pin(t.Context(), nil); err != nil || h.Service().Pin != nil {
			t.Errorf("the pin cannot be lifted: %v", err)
		}
		if err := h.Ready(); err != nil {
			t.Errorf("Ready: %v", err)
		}
	})
}
