package spoke

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/sse"
)

const (
	mostRetry = 30 * time.Second

	// enoughFailures in a row, none of which came as far as the hub's verdict, are a
	// reason to poll; what was mute counts twice.
	enoughFailures = 4
	mostProbe      = 5 * time.Minute
	// spread keeps those apart whom the hub lets stream again at the same moment.
	spread = 2 * time.Second
)

var (
	// errStopped says that the loop has ended.
	errStopped = errors.New("nobody takes the events any more")
	errMute    = errors.New("nothing came through")
	errSilent  = errors.New("it was silent for too long")
	errLevel   = errors.New("the hub wants to be polled")
)

// A follower is one iteration of a subscription.
type follower struct {
	*Subscription
	yield func(Batch, error) bool

	retry    time.Duration // the hub's last wish
	failures int           // in a row, that came to nothing
	probe    time.Duration // how long it is polled before the next try to stream
	told     bool          // by the hub, to poll until it says otherwise
	short    bool          // polls are answered at once, since waiting ones are cut off
	met      bool          // the hub has answered
}

// follow returns nil when ctx or the loop ends, or why it makes no sense to go on.
func (f *follower) follow(ctx context.Context) error {
	f.probe = f.config.Probe
	for {
		err := f.stream(ctx)
		if over := errors.Is(err, errStopped) || ctx.Err() != nil; !over && (f.told || f.failures >= enoughFailures) {
			f.failures = enoughFailures - 1 // the next failure leads back here
			err = f.poll(ctx, err)
		}
		switch {
		case errors.Is(err, errStopped), ctx.Err() != nil:
			return nil
		case err == nil, f.tokenReplaced(ctx, err):
			continue
		}
		after, again := f.mayPass(err)
		if !again {
			return err
		}
		if !f.wait(ctx, err, f.nextTry(after)) {
			return nil
		}
	}
}

// mayPass is Temporary, but that a hub which was there is waited for, whatever answers in
// its place, and whatever becomes of the token: then only its own refusal is the last word.
func (f *follower) mayPass(err error) (after time.Duration, ok bool) {
	after, ok = Temporary(err)
	var refused *Refusal
	final := errors.As(err, &refused) && refused.Code != "" || errors.Is(err, sse.ErrTooLarge)
	return after, ok || f.met && !final
}

// nextTry is how long to wait before the next connection. A hub that says goodbye has
// put jitter into its wish already.
func (f *follower) nextTry(after time.Duration) time.Duration {
	first := cmp.Or(f.retry, f.config.Retry)
	return after + backoff(max(0, f.failures-1), first, max(first, mostRetry))
}

func (f *follower) wait(ctx context.Context, cause error, d time.Duration) bool {
	f.config.OnStatus(Status{State: Waiting, Cause: cause, Wait: d})
	return pause(ctx, d)
}

// tokenReplaced reports whether it was a token that is refused, and there is another now.
func (f *follower) tokenReplaced(ctx context.Context, err error) bool {
	var refused *Refusal
	if !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized || refused.token == "" {
		return false
	}
	token, err := f.hub.token(ctx)
	return err == nil && token != "" && token != refused.token
}

// toPoll reports whether it is the hub's level for which there are no streams.
func toPoll(err error) bool {
	var refused *Refusal
	return errors.As(err, &refused) && refused.Code == nave.CodeDegraded && !refused.Level.Has(nave.Streams)
}

// handOver yields, and moves the cursor on once that has been handled.
func (f *follower) handOver(b Batch, err error) error {
	if !f.yield(b, err) {
		f.yield = func(Batch, error) bool { return false }
		return errStopped
	}
	if b.Cursor != "" {
		f.cursor = b.Cursor
	}
	return nil
}
