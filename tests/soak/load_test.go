package soak

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// A soak is a hub under a load that can be let go and taken up again.
type soak struct {
	// Set by begin, never changed.
	t      *testing.T
	hub    *harness.Process
	seed   uint64
	client *http.Client // keeps its connections until the load rests

	acked *account // of what readers that stay have to see
	ids   atomic.Int64
	turn  atomic.Uint64 // makes names that nobody has used

	// Owned by the test.
	phase   uint64 // of load
	readers []*resident
	loaded  time.Duration // until the latest rest
	loading time.Time
	// Owned by watch while the load goes on.
	samples   []sample
	allocated int64 // when the hub last looked

	mu         sync.Mutex
	counts     map[string]int
	wrong      int // answers
	disorder   int
	incomplete int
	resets     int
}

// An account tells whether two have the same offsets, in whatever order.
type account struct {
	mu    sync.Mutex
	tally harness.Tally
}

func (a *account) add(offset uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tally.Add(offset)
}

func (a *account) count() int { n, _ := a.sum(); return n }

func (a *account) sum() (events int, sum uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tally.Events, a.tally.Sum
}

func begin(t *testing.T, hub *harness.Process, seed uint64) *soak {
	s := &soak{
		t: t, hub: hub, seed: seed, counts: make(map[string]int), acked: new(account),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	t.Cleanup(s.client.CloseIdleConnections)
	return s
}

func (s *soak) url(path string) string { return s.hub.URL(path) }

// did counts something that was done.
func (s *soak) did(what string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[what] += n
}

// mistake counts an answer that should have been another.
func (s *soak) mistake(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wrong++; s.wrong <= 5 {
		s.t.Errorf(format, args...)
	}
}

// A worker is one of those who make the load. It ends in good order when ctx does.
type worker func(ctx context.Context, rng *rand.Rand)

// rows are the kinds of workers, by what they do. Those that spawn have the hub
// start an actor for it, at most.
var rows = []struct {
	what string
	many int
	work func(s *soak) worker
}{
	{"durable events", 3, (*soak).publishCards},
	{"memory events", 1, (*soak).publishMemory},
	{"transient events", 1, (*soak).publishTransient},
	{"batches", 1, (*soak).publishBatches},
	{"events with conditions", 2, (*soak).publishConditional},
	{"repeats", 1, (*soak).publishTwice},
	{"lines", 1, (*soak).publishLines},
	{"topics that came and went", 1, (*soak).passingTopics},
	{"refusals", 1, (*soak).askForRefusals},
	{"streams that came and went", 6, (*soak).visit},
	{"snapshots that came and went", 1, (*soak).visitSnapshot},
	{"NDJSON streams that came and went", 2, (*soak).visitLines},
	{"streams that were read slowly, or not at all", 3, (*soak).dawdle},
	{"long-polls", 3, (*soak).poll},
	{"pages", 1, (*soak).readPages},
	{"states", 1, (*soak).readState},
	{"requests that broke off", 3, (*soak).breakOff},
}

// load lets everybody work for so long, and returns when they have gone.
func (s *soak) load(length time.Duration) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), length)
	defer cancel()
	s.loading = time.Now()
	s.phase++
	stay, leave := context.WithCancel(s.t.Context())
	var residents, workers sync.WaitGroup
	defer residents.Wait()
	defer leave()
	for i := range 6 {
		if len(s.readers) <= i {
			s.readers = append(s.readers, s.resident(i))
		}
		s.stay(stay, &residents, s.readers[i])
	}
	workers.Go(func() { s.watch(ctx) })
	for i, row := range rows {
		for k := range row.many {
			rng := rand.New(rand.NewPCG(s.seed, s.phase<<16+uint64(i<<8+k)))
			work := row.work(s)
			workers.Go(func() { work(ctx, rng) })
		}
	}
	workers.Wait()
	s.loaded += time.Since(s.loading)
	s.settle()
}

// A resident is a reader that stays while the load goes on, and comes back to
// where it was when it is taken up again.
type resident struct {
	*harness.Subscriber
	has *account
}

func (s *soak) resident(i int) *resident {
	r := &resident{has: new(account)}
	r.Subscriber = &harness.Subscriber{URL: s.url("/v1/events"), Filters: []string{"cards/**"}, Forget: true}
	if i%2 == 1 {
		r.Filters = []string{"cards/*", "session/*", "ui/0"}
	}
	last := uint64(0)
	r.Each = func(e harness.Seen) {
		if e.Offset == 0 {
			return
		}
		if e.Offset <= last {
			s.unordered(e.Offset, last)
		}
		last = e.Offset
		if cards(e.Topic) {
			r.has.add(e.Offset)
		}
	}
	return r
}

func (s *soak) unordered(offset, after uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.disorder++; s.disorder <= 5 {
		s.t.Errorf("offset %d came after %d", offset, after)
	}
}

// stay lets a reader follow, and waits for its verdict.
func (s *soak) stay(ctx context.Context, residents *sync.WaitGroup, r *resident) {
	s.t.Helper()
	before := len(r.Verdicts())
	residents.Go(func() { r.Follow(ctx) })
	if err := r.Wait(trial.Soon(s.t), func(h *harness.Subscriber) bool { return len(h.Verdicts()) > before }); err != nil {
		s.t.Fatalf("waiting for the verdict: %v", err)
	}
}

// settle waits until those who stay have all that was acknowledged.
func (s *soak) settle() {
	s.t.Helper()
	events, sum := s.acked.sum()
	soon := trial.Soon(s.t)
	s.resets = 0
	for i, r := range s.readers {
		err := r.Wait(soon, func(*harness.Subscriber) bool { n, _ := r.has.sum(); return n >= events })
		if n, has := r.has.sum(); err != nil || n != events || has != sum {
			s.incomplete++
			s.t.Errorf("reader %d has %d events, or others than the %d that were acknowledged: %v", i, n, events, err)
		}
		for _, v := range r.Verdicts() {
			if v != "live" && v != "recovered" {
				s.resets++
				s.t.Errorf("reader %d is told %s", i, v)
			}
		}
	}
}

// pause waits between least and most, or until ctx ends.
func pause(ctx context.Context, rng *rand.Rand, least, most time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(least + time.Duration(rng.Int64N(int64(most-least)+1))):
	}
}
