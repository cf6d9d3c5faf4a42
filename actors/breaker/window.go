package breaker

import "time"

// A tally is of some calls.
type tally struct{ calls, failed, slow int }

func (t *tally) add(o tally) {
	t.calls += o.calls
	t.failed += o.failed
	t.slow += o.slow
}

// buckets is how many parts the window has: it slides by a tenth at a time.
const buckets = 10

// A window has the tallies of the last while.
type window struct {
	start  time.Time // of bucket 0
	width  time.Duration
	newest int64 // the number of the bucket that is filled
	ring   [buckets]tally
}

func newWindow(now time.Time, length time.Duration) window {
	return window{start: now, width: max(length/buckets, 1)}
}

// slide empties the buckets whose time has passed.
func (w *window) slide(now time.Time) {
	n := int64(now.Sub(w.start) / w.width)
	for range min(n-w.newest, buckets) {
		w.newest++
		w.ring[w.newest%buckets] = tally{}
	}
	if n > w.newest { // all are empty
		w.newest = n
	}
}

// left is how long it is until the window slides.
func (w *window) left(now time.Time) time.Duration { return w.width - now.Sub(w.start)%w.width }

func (w *window) add(now time.Time, t tally) {
	w.slide(now)
	w.ring[w.newest%buckets].add(t)
}

func (w *window) sum(now time.Time) (t tally) {
	w.slide(now)
	for _, b := range w.ring {
		t.add(b)
	}
	return t
}
