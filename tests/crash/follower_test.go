package crash

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/history"
	"github.com/navehub/nave/tests/trial"
)

// A follower is a subscriber that comes back whenever its connection ends.
type follower struct {
	*harness.Subscriber
	run     *run
	name    string
	filters nave.Filters
	notes   *history.Subscription
	stays   time.Duration // at most, until all calm down; 0 is as long as it can
	rng     *rand.Rand

	mu     sync.Mutex
	latest map[entity]value
}

// value is what the latest event of a key has given it.
type value struct {
	version uint64
	data    string
}

// follower makes one of these filters, which has yet to start.
func (r *run) follower(filters []string) *follower {
	parsed, err := nave.ParseFilters(filters)
	if err != nil {
		r.t.Fatal(err)
	}
	n := len(r.followers)
	f := &follower{
		run: r, filters: parsed, name: fmt.Sprintf("subscriber %d of %v", n, filters),
		stays: stays(n), rng: r.random(1000 + n), latest: make(map[entity]value),
	}
	f.notes = r.record.Subscriber(f.name, parsed)
	f.Subscriber = &harness.Subscriber{
		URL: r.hub.URL("/v1/events"), Filters: filters, Notes: f.notes, Each: f.see, Forget: true,
	}
	r.followers = append(r.followers, f)
	return f
}

// start lets it follow until the test ends, and waits for its first verdict.
func (f *follower) start() *follower {
	ctx, cancel := context.WithCancel(f.run.t.Context())
	var ended sync.WaitGroup
	ended.Go(func() { f.follow(ctx) })
	f.run.t.Cleanup(func() { cancel(); ended.Wait() })
	first := func(s *harness.Subscriber) bool { return len(s.Verdicts()) > 0 }
	if err := f.Wait(trial.Soon(f.run.t), first); err != nil {
		f.run.t.Fatalf("%s: waiting for the verdict: %v", f.name, err)
	}
	return f
}

// stays says how restless a follower is. Half of them have come to stay. Those that
// come and go all the time are there for what may get lost between catching up and
// being live, a matter of microseconds.
func stays(n int) time.Duration {
	switch {
	case n%2 == 0:
		return 0
	case n%10 == 5:
		return 50 * time.Millisecond
	default:
		return time.Second
	}
}

// follow comes back after each end. A restless one leaves by itself and stays away
// for a while, until all calm down.
func (f *follower) follow(ctx context.Context) {
	for ctx.Err() == nil {
		away := 10 * time.Millisecond
		if f.stays > 0 && f.run.calm.Err() == nil {
			f.visit(ctx, below(f.rng, f.stays))
			away = below(f.rng, f.stays/4)
		} else {
			_ = f.Connect(ctx) // however it ended, it is tried again
		}
		select {
		case <-ctx.Done():
		case <-time.After(away):
		}
	}
}

func (f *follower) visit(ctx context.Context, length time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	_ = f.Connect(ctx)
}

// see is called for every event, in order.
func (f *follower) see(e harness.Seen) {
	removes := e.Key != "" && len(e.Data) == 0
	if !removes && string(e.Data) != `"`+e.ID+`"` && f.run.otherData.Add(1) <= 3 {
		f.run.t.Errorf("%s got %s with the data %s", f.name, e.ID, e.Data)
	}
	if e.Key == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	of := entity{e.Topic, e.Key}
	if removes {
		delete(f.latest, of)
		return
	}
	f.latest[of] = value{e.Version, string(e.Data)}
}

// state is what the events that it saw make of the keys.
func (f *follower) state() map[entity]value {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.latest)
}

// has reports whether it has everything up to the last of the marks that it
// follows, or was told that it misses it.
func (f *follower) has(marks map[string]uint64) bool {
	last := uint64(0)
	for topic, offset := range marks {
		if f.filters.Match(nave.Topic(topic)) {
			last = max(last, offset)
		}
	}
	stands, err := nave.ParseCursor(f.Cursor())
	return err == nil && stands.Offset >= last
}

// beginning is the cursor before the first event.
func (f *follower) beginning() string {
	stands, err := nave.ParseCursor(f.Cursor())
	if err != nil {
		f.run.t.Fatal(err)
	}
	return nave.Cursor{Epoch: stands.Epoch}.String()
}
