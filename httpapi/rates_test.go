package httpapi

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
)

func TestRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRates(100, 10)
		time.Sleep(time.Second)
		wait := func(publisher string, n int) time.Duration {
			t.Helper()
			err := r.take(publisher, n)
			if err == nil {
				return 0
			}
			refused, ok := err.(*nave.Error)
			if !ok {
				t.Fatalf("%v", err)
			}
			return refused.RetryAfter
		}
		for i, want := range []time.Duration{0, 0, 500 * time.Millisecond} { // ten, and five too many
			if got := wait("alice", []int{7, 3, 5}[i]); got != want {
				t.Errorf("take %d: wait %v, want %v", i, got, want)
			}
		}
		if got := wait("bob", 10); got != 0 {
			t.Errorf("bob waits %v for alice", got)
		}
		time.Sleep(500 * time.Millisecond)
		if got := wait("alice", 5); got != 0 {
			t.Errorf("after what was asked for: %v", got)
		}
		time.Sleep(10 * time.Second)
		if got := wait("alice", 35); got != 0 { // what is more than a second's worth is owed
			t.Errorf("a large batch: %v", got)
		}
		if got := wait("alice", 1); got != 2600*time.Millisecond {
			t.Errorf("another: %v", got)
		}
		time.Sleep(time.Minute)
		for range 10 {
			if got := wait("", 10); got != 0 {
				t.Errorf("who is nobody waits %v", got)
			}
		}
		if err := r.take("", 10); nave.CodeOf(err) != nave.CodeOverloaded {
			t.Errorf("more than all may: %v", err)
		}
	})
}

// Publishers who are gone are forgotten, however many there were.
func TestRatesForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRates(0, 10)
		for i := range 10_000 {
			_ = r.take(strconv.Itoa(i), 5)
		}
		time.Sleep(time.Minute)
		_ = r.take("another", 5)
		if len(r.publishers) != 1 {
			t.Errorf("%d are kept", len(r.publishers))
		}
	})
}
