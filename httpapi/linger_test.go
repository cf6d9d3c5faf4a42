package httpapi

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestLingererLastsAMomentLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		request, leave := context.WithCancel(t.Context())
		l := &lingerer{request: request}
		defer l.end()
		done := l.Done()
		leave()
		time.Sleep(lingering - time.Millisecond)
		if err := l.Err(); err != nil {
			t.Errorf("a moment after its request it is over: %v", err)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		select {
		case <-done:
		default:
			t.Fatal("long after its request it is not over")
		}
		if err := l.Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("Err is %v when Done is closed", err)
		}
	})
}

// Whatever is derived from it, at whatever time, ends with it: what is over must say
// so, or package context panics.
func TestLingererEndsWhatIsDerived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lingerer{request: t.Context()}
		before, cancel := context.WithCancel(l)
		defer cancel()
		l.end()
		after, cancel := context.WithTimeout(l, time.Minute)
		defer cancel()
		synctest.Wait()
		for name, err := range map[string]error{"itself": l.Err(), "before": before.Err(), "after": after.Err()} {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v, want %v", name, err, context.Canceled)
			}
		}
	})
}

func TestLingererAllocations(t *testing.T) {
	x := &exchange{r: httptest.NewRequestWithContext(t.Context(), "POST", "/v1/events", nil)}
	got := testing.AllocsPerRun(100, func() {
		l := x.linger()
		if l.Err() != nil {
			t.Error("it is over before it is used")
		}
		l.end()
	})
	if got > 1 {
		t.Errorf("%v allocations where nobody asks for its end, want that of itself", got)
	}
}
