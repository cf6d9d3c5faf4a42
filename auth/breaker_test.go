package auth

import (
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
)

// A fuse is a Breaker that keeps what it was told.
type fuse struct {
	mu      sync.Mutex
	calls   []error // how fetches went
	why     string  // "" while it is closed
	until   time.Time
	try     func()
	waiting time.Duration // the longest fetch
}

func (f *fuse) Done(err error, took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.waiting = append(f.calls, err), max(f.waiting, took)
}

func (f *fuse) Hold(why string, until time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.why, f.until = why, until
}

func (f *fuse) Release()           { f.Hold("", time.Time{}) }
func (f *fuse) OnReset(try func()) { f.try = try }

func (f *fuse) state() (why string, until time.Time, calls int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.why, f.until, len(f.calls)
}

// The breaker is open from a fetch that fails to one that does not. Known keys go on,
// and who has another key hears until when.
func TestBreakerOfKeys(t *testing.T) {
	f, i := &fuse{}, &issuer{takes: time.Second}
	remotely(t, VerifierConfig{Sources: []Source{{Breaker: f}}}, i, func(t *testing.T, v *Verifier) {
		accept(t, v, by1(t))
		if why, _, n := f.state(); why != "" || n != 1 || f.calls[0] != nil || f.waiting != time.Second {
			t.Errorf("%q after %d fetches of %v", why, n, f.waiting)
		}
		i.change(func() { i.away, i.takes = true, 0 })
		time.Sleep(defaultAge)
		synctest.Wait()
		why, until, _ := f.state()
		if why != "the keys cannot be fetched: connection refused" || !until.Equal(v.Sources()[0].NextTry) || until.Before(time.Now()) {
			t.Errorf("%q until %v", why, until)
		}
		v.remembered.Purge()
		accept(t, v, by1(t))
		_, err := v.Verify(t.Context(), by2(t))
		var refused *nave.Error
		if !errors.As(err, &refused) || refused.Code != nave.CodeUnavailable || refused.RetryAfter > mostRetry ||
			!regexp.MustCompile(`and the keys of its issuer cannot be fetched: that is tried again at 2000-\S+Z$`).MatchString(refused.Detail) ||
			strings.Contains(refused.Detail, "refused") {
			t.Errorf("%+v", refused)
		}
		i.change(func() { i.away = false; i.keys += "," + key2(t) })
		time.Sleep(mostRetry + time.Second)
		synctest.Wait()
		if why, _, _ := f.state(); why != "" {
			t.Errorf("it is still open: %s", why)
		}
		accept(t, v, by2(t))
	})
}

// Who knows that the issuer is back need not wait, and does not make a flood by it.
func TestKeysAreFetchedAgainAtOnce(t *testing.T) {
	f, i := &fuse{}, &issuer{away: true}
	remotely(t, VerifierConfig{Sources: []Source{{Breaker: f}}}, i, func(t *testing.T, v *Verifier) {
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		i.change(func() { i.away, i.takes, i.asked = false, time.Second, 0 })
		begun := time.Now()
		for range 100 {
			f.try()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		accept(t, v, by1(t))
		if why, _, _ := f.state(); why != "" || time.Since(begun) != time.Second || i.times() != 1 {
			t.Errorf("%q after %v; asked %d times", why, time.Since(begun), i.times())
		}
		f.try() // while all is well, too
		synctest.Wait()
		time.Sleep(time.Second)
		if i.times() != 2 {
			t.Errorf("asked %d times", i.times())
		}
	})
	f.try() // after Close
}
