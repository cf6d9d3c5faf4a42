package spoke

import (
	"context"
	"math/rand/v2"
	"time"
)

// Retry tries, and tries again while that may help, until ctx ends. What it tries must
// be harmless to do twice. again, if not nil, is told of each error that is not the
// last, and of the wait that follows.
func Retry(ctx context.Context, try func(context.Context) error, again func(err error, wait time.Duration)) error {
	for attempt := 0; ; attempt++ {
		err := try(ctx)
		after, temporary := Temporary(err)
		if err == nil || !temporary {
			return err
		}
		const first, most = 100 * time.Millisecond, 2 * time.Second
		wait := max(after, backoff(attempt, first, most))
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait || ctx.Err() != nil {
			return err
		}
		if again != nil {
			again(err, wait)
		}
		if !pause(ctx, wait) {
			return err
		}
	}
}

// backoff doubles with every attempt, up to a bound, and has jitter, so that those who
// were cut off together do not come back together.
func backoff(attempt int, first, most time.Duration) time.Duration {
	d := min(first<<min(attempt, 16), most)
	return d/2 + rand.N(d/2+1)
}

// pause waits, and reports false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
