package registry_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave/registry"
)

func TestBreakers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := registry.New(flush)
		defer r.Close()
		history := []registry.BreakerChange{{State: registry.BreakerOpen, Why: "12 of 20 calls failed"}}
		r.PutBreaker(registry.Breaker{Name: "mail", State: registry.BreakerOpen, History: history})
		r.PutBreaker(registry.Breaker{Name: "log", State: registry.BreakerClosed})
		r.PutBreaker(registry.Breaker{Name: "geo", State: registry.BreakerHalfOpen})
		history[0].Why = "changed by its owner"
		time.Sleep(flush)
		synctest.Wait()
		s := r.Snapshot()
		var names []string
		for b := range s.Breakers() {
			names = append(names, b.Name)
		}
		if want := []string{"geo", "log", "mail"}; !slices.Equal(names, want) {
			t.Errorf("breakers = %v, want %v", names, want)
		}
		mail, ok := s.Breaker("mail")
		if !ok || mail.History[0].Why != "12 of 20 calls failed" {
			t.Errorf("mail: %+v", mail)
		}
		if _, ok := s.Breaker("nobody"); ok {
			t.Error("there is a breaker that was never put")
		}
		if n := s.Count(); n.OpenBreakers != 2 {
			t.Errorf("counts: %+v", n)
		}
	})
}
