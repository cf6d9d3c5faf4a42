package spoke

import (
	"cmp"
	"context"
	"iter"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/sse"
)

// SubscribeConfig says what to follow, and from where on.
type SubscribeConfig struct {
	Filters nave.Filters
	// Cursor is where to go on; "" for now.
	Cursor string
	// Snapshot asks for the latest event of every key first, and again whenever the
	// cursor cannot be resumed from.
	Snapshot bool
	// OnStatus, if not nil, is told how the subscription fares, and OnNotice of the
	// hub's own events as they come. Both are called by the goroutine that iterates.
	OnStatus func(Status)
	OnNotice func(sse.Event)
	// Silence is how long a stream may say nothing before it counts as dead, whatever
	// TCP believes, unless the hub announces how often it sends heartbeats.
	//
	// Defaults to 45 seconds.
	Silence time.Duration
	// Proof is how long the hub's verdict, with which every stream begins, may take. A
	// proxy that holds back what it should pass on is found by that.
	//
	// Defaults to 10 seconds.
	Proof time.Duration
	// Retry is how long to wait before the first try to connect again, unless the hub
	// says; it doubles with each that fails.
	//
	// Defaults to a second.
	Retry time.Duration
	// Probe is how long it is polled, where streams do not come through, before it is
	// tried again to stream. It doubles with each such try, up to five minutes.
	//
	// Defaults to 15 seconds.
	Probe time.Duration
}

// A State is how a subscription fares.
type State string

const (
	// Live: events arrive as they happen.
	Live State = "live"
	// Polling: they are asked for.
	Polling State = "polling"
	// Waiting: there is no connection, for a while.
	Waiting State = "waiting"
)

// Status is a State, and why.
type Status struct {
	State State
	// Cause is why it is not live.
	Cause error
	// Wait is how long it is waited before the next try.
	Wait time.Duration
}

// A Subscription follows topics, over as many connections as that takes. Use it from one
// goroutine at a time.
type Subscription struct {
	hub    *Client
	config SubscribeConfig
	cursor string
}

// Subscribe makes a subscription; its Batches connect.
func (c *Client) Subscribe(config SubscribeConfig) *Subscription {
	config.Silence = cmp.Or(config.Silence, 45*time.Second)
	config.Proof = cmp.Or(config.Proof, 10*time.Second)
	config.Retry = cmp.Or(config.Retry, time.Second)
	config.Probe = cmp.Or(config.Probe, 15*time.Second)
	if config.OnStatus == nil {
		config.OnStatus = func(Status) {}
	}
	if config.OnNotice == nil {
		config.OnNotice = func(sse.Event) {}
	}
	return &Subscription{hub: c, config: config, cursor: config.Cursor}
}

// Cursor is where the subscription stands: everything up to here has been handled. It
// moves on also while the topics are quiet.
func (s *Subscription) Cursor() string { return s.cursor }

// Batches yields what happens, until ctx ends or the loop does; ranging over it again goes
// on where it was. A [*nave.ResetError] says that events are missing: the loop may go on,
// and fetch anew what it depends on. Any other error is the last: the hub refuses, and would
// refuse again; or what has answered was never a hub.
func (s *Subscription) Batches(ctx context.Context) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		f := &follower{Subscription: s, yield: yield}
		if err := f.follow(ctx); err != nil {
			yield(Batch{}, err)
		}
	}
}
