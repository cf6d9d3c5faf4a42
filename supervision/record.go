package supervision

import (
	"slices"
	"sync"
	"time"
)

// A Record is what an actor's supervision remembers of it across incarnations:
// its recent failures, and the restart that it is waiting for. (protoactor's own
// RestartStatistics keeps the times of all failures there ever were.) The zero
// Record is ready for use.
type Record struct {
	mu       sync.Mutex
	failures []time.Time // within the policy's window, oldest first
	pending  *time.Timer // the latest restart
	closed   bool
}

// count adds a failure and returns how many there are within the window.
func (r *Record) count(now time.Time, within time.Duration) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = slices.DeleteFunc(r.failures, func(t time.Time) bool { return now.Sub(t) > within })
	r.failures = append(r.failures, now)
	return len(r.failures)
}

// restart calls do after the delay, unless the Record is closed by then.
func (r *Record) restart(delay time.Duration, do func()) {
	if delay <= 0 {
		do()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.pending = time.AfterFunc(delay, do)
	}
}

// Close calls off a restart that is waiting: the actor has ended.
func (r *Record) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.pending != nil {
		r.pending.Stop()
	}
}
