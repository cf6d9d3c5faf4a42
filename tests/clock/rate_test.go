package clock

import (
	"net/http"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// ratedAt is how many events a second the topics take that have a rate, and how
// many at once.
const ratedAt = 20

// A flood is what became of events that were published as fast as they went.
type flood struct {
	tried, accepted int
	took            time.Duration
}

// overflow publishes to a topic with a rate, at more than twice of it.
func overflow(t *testing.T, hub *harness.Process, d time.Duration) (f flood) {
	t.Helper()
	start := time.Now()
	for tick := time.NewTicker(time.Second / (2.5 * ratedAt)); time.Since(start) < d; <-tick.C {
		a, err := harness.Publish(trial.Soon(t), hub.URL("/v1/events"), harness.Event{Topic: "rated/1", Type: "tick"})
		if err != nil || a.Status != http.StatusOK && a.Status != http.StatusTooManyRequests {
			t.Errorf("publish to a topic with a rate: %d %s %v", a.Status, a.Detail, err)
		}
		f.tried++
		if a.Status == http.StatusOK {
			f.accepted++
		}
	}
	f.took = time.Since(start)
	return f
}

// bounds are how many the rate allows: no more, and at least most of it.
func (f flood) bounds() (low, high int) {
	refilled := int(ratedAt * f.took.Seconds())
	return min(f.tried, refilled) * 3 / 4, ratedAt + refilled + 1
}
