package hub_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/supervision"
	"github.com/navehub/nave/tests/trial"
)

// A storm makes the actors of a target fail at random, each as often as its
// policy forgives.
type storm struct {
	*target
	rng     *rand.Rand
	strikes []strike
	struck  map[string][]time.Time   // by actor
	over    map[string]*atomic.Int64 // failures over a message, by kind and what
}

// A strike is one way to make one actor fail.
type strike struct {
	kind   supervision.Kind
	actors []string // those of which one will: it is counted for all
	times  int      // failures that it makes
	do     func(ctx context.Context) bool
}

// everyTopic is each actor that a publish may make fail.
var everyTopic = slices.Concat(durableTopics, memoryTopics, transientTopics)

func newStorm(g *target, rng *rand.Rand) *storm {
	s := &storm{target: g, rng: rng, struck: make(map[string][]time.Time), over: make(map[string]*atomic.Int64)}
	f := g.faults
	s.arm(1, &f.beforeStore, "journal")
	s.arm(1, &f.afterStore, "journal")
	s.arm(1, &f.beforeAnswer, "journal")
	s.arm(1, &f.broken, "log")
	s.arm(4, &f.admission, everyTopic...)
	s.arm(2, &f.dispatched, s.shards()...)
	s.arm(4, &f.connecting)
	s.arm(8, &f.written)
	s.arm(1, &f.trimming, "retention")
	s.arm(1, &f.handling, "extension")
	s.arm(1, &f.refusing, "extension")
	s.add(1, strike{kind: supervision.Extension, actors: []string{"extension"}, times: 2, do: func(context.Context) bool {
		f.making.armed.Add(1) // when it is made anew, because
		f.handling.armed.Add(1)
		return true
	}})
	for _, topic := range everyTopic {
		s.message(supervision.Topic, topic, func(ctx context.Context) bool { return g.FailTopic(ctx, nave.Topic(topic)) })
	}
	for i, shard := range s.shards() {
		s.message(supervision.Dispatcher, shard, func(context.Context) bool { return g.FailDispatcher(i) })
	}
	s.add(1, strike{kind: supervision.Breaker, actors: []string{"breaker"}, times: 1, do: func(context.Context) bool {
		g.turn()
		return true
	}})
	s.message(supervision.Breakers, "breakers", func(context.Context) bool { return g.FailBreakers() })
	s.message(supervision.Governor, "governor", func(context.Context) bool { return g.FailGovernor() })
	s.message(supervision.Topics, "topics", g.FailTopics)
	s.message(supervision.Clients, "clients", g.FailClients)
	s.message(supervision.Hub, "root", func(context.Context) bool { return g.root.Fail() })
	s.message(supervision.Extensions, "extensions", func(context.Context) bool { return g.extensions.Fail() })
	return s
}

func (s *storm) shards() (all []string) {
	for i := range s.Dispatchers() {
		all = append(all, fmt.Sprintf("dispatch-%d", i))
	}
	return all
}

// add adds a strike, to be drawn as often as so many others.
func (s *storm) add(weight int, k strike) {
	for range weight {
		s.strikes = append(s.strikes, k)
	}
}

func (s *storm) arm(weight int, f *fault, actors ...string) {
	s.add(weight, strike{kind: f.kind, actors: actors, times: 1, do: func(context.Context) bool {
		f.armed.Add(1)
		return true
	}})
}

// message makes an actor fail over a message made for that, and counts it.
func (s *storm) message(kind supervision.Kind, actor string, fail func(context.Context) bool) {
	key := string(kind)
	if s.over[key] == nil {
		s.over[key] = new(atomic.Int64)
	}
	count := s.over[key]
	s.add(1, strike{kind: kind, actors: []string{actor}, times: 1, do: func(ctx context.Context) bool {
		failed := fail(ctx)
		if failed {
			count.Add(1)
		}
		return failed
	}})
}

// allowed reports whether each of the actors may still fail so often: always one
// time less than would escalate. In the short form extensions fail less: their
// restarts wait for longer than it takes.
func (s *storm) allowed(k strike) bool {
	p := supervision.PolicyOf(k.kind)
	if k.kind == supervision.Extension {
		p.Max = trial.Pick(min(p.Max, 5), p.Max)
	}
	for _, actor := range k.actors {
		s.struck[actor] = slices.DeleteFunc(s.struck[actor], func(at time.Time) bool {
			return time.Since(at) > p.Within+10*time.Second // it may have happened later than it was meant to
		})
		if len(s.struck[actor])+k.times >= p.Max {
			return false
		}
	}
	return true
}

// rage strikes every few hundredths of a second for as long as that, and until
// everything has happened once.
func (s *storm) rage(length time.Duration) {
	s.t.Helper()
	begin, logged := time.Now(), time.Now()
	first := slices.Clone(s.strikes) // each once, before chance may use up what an actor is forgiven
	s.rng.Shuffle(len(first), func(i, k int) { first[i], first[k] = first[k], first[i] })
	for time.Since(begin) < length || !s.complete() {
		if time.Since(begin) > length+time.Minute {
			s.t.Errorf("after %v, some actor has never failed: %v", time.Since(begin), s.injected())
			break
		}
		if time.Since(logged) > 10*time.Second {
			logged = time.Now()
			s.t.Logf("%v: %v", time.Since(begin).Round(time.Second), s.injected())
		}
		k := s.strikes[s.rng.IntN(len(s.strikes))]
		if len(first) > 0 {
			k, first = first[0], first[1:]
		}
		if s.allowed(k) {
			s.strike(k)
		}
		time.Sleep(time.Duration(10+s.rng.IntN(80)) * time.Millisecond)
	}
	for _, f := range s.faults.all() {
		f.armed.Store(0)
	}
}

func (s *storm) strike(k strike) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), 10*time.Second)
	defer cancel()
	if !k.do(ctx) {
		return
	}
	for _, actor := range k.actors {
		for range k.times {
			s.struck[actor] = append(s.struck[actor], time.Now())
		}
	}
}

func (f *faults) all() []*fault {
	return []*fault{
		&f.beforeStore, &f.afterStore, &f.beforeAnswer, &f.admission, &f.dispatched, &f.connecting, &f.written,
		&f.trimming, &f.turning, &f.making, &f.handling, &f.refusing, &f.broken,
	}
}

// complete reports whether everything has happened once.
func (s *storm) complete() bool {
	for _, f := range s.faults.all() {
		if f.done.Load() == 0 {
			return false
		}
	}
	for _, n := range s.over {
		if n.Load() == 0 {
			return false
		}
	}
	return true
}

// injected is how often each kind was made to fail.
func (s *storm) injected() map[supervision.Kind]int64 {
	sum := make(map[supervision.Kind]int64)
	for _, f := range s.faults.all() {
		if f.kind != "" {
			sum[f.kind] += f.done.Load()
		}
	}
	for kind, n := range s.over {
		sum[supervision.Kind(kind)] += n.Load()
	}
	return sum
}

// kinds are those that were made to fail, in the order of their names.
func kinds(injected map[supervision.Kind]int64) []supervision.Kind {
	return slices.Sorted(maps.Keys(injected))
}

// uncounted is what is wrong with the count of failures, by kind and by what was
// done about them, and of the restarts that were.
func (s *storm) uncounted() (wrong []string) {
	failures, stats, injected := s.failures(), s.Stats(), s.injected()
	for kind, n := range injected {
		directive := supervision.PolicyOf(kind).On
		if found := failures[kind]; len(found) != 1 || found[directive.String()] != n {
			wrong = append(wrong, fmt.Sprintf("%d failures of %s are counted as %v, want all of them as %s", n, kind, found, directive))
		}
		want := uint64(0)
		if directive == supervision.Restart {
			want = uint64(n)
		}
		if got := stats[kind].Restarts; got != want {
			wrong = append(wrong, fmt.Sprintf("%d restarts of %s are counted, want %d", got, kind, want))
		}
	}
	for kind, found := range failures {
		if injected[kind] == 0 {
			wrong = append(wrong, fmt.Sprintf("%s has failed by itself: %v", kind, found))
		}
	}
	return wrong
}

// counted waits for the last restarts, and checks that everything is counted.
func (s *storm) counted(t *testing.T) int {
	t.Helper()
	var wrong []string
	for deadline := time.Now().Add(trial.Pick(20*time.Second, 2*time.Minute)); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if wrong = s.uncounted(); len(wrong) == 0 {
			return 0
		}
	}
	for _, w := range wrong {
		t.Error(w)
	}
	return len(wrong)
}
