package crash

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/history"
	"github.com/navehub/nave/tests/trial"
)

// A run is one hub, all that publish to it and follow it, and what they wrote down.
type run struct {
	t      *testing.T
	hub    *harness.Process
	seed   uint64
	record *history.Record

	publishers int
	followers  []*follower
	calm       context.Context // ends when nobody leaves by himself any more
	calmDown   context.CancelFunc
	patient    context.Context // ends when it makes no sense to wait for answers

	losePatience context.CancelFunc

	killed    kills
	tries     atomic.Int64 // without a final answer
	found     atomic.Int64 // publishes whose first answer was that they are stored already
	unlike    atomic.Int64 // repeats that are not answered as such
	mistakes  atomic.Int64 // answers that nobody should get
	otherData atomic.Int64 // deliveries with something else than was sent
}

func newRun(t *testing.T, env ...string) *run {
	r := &run{
		t: t, hub: trial.NewHub(t, trial.CheckedProgram(t), env...),
		seed: cmp.Or(*seed, rand.Uint64()), record: history.New(),
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("to make the same choices again: -run %s -seed %d", t.Name(), r.seed)
		}
	})
	r.calm, r.calmDown = context.WithCancel(t.Context())
	r.patient, r.losePatience = context.WithCancel(t.Context())
	t.Cleanup(r.calmDown)
	t.Cleanup(r.losePatience)
	r.start()
	return r
}

// start starts the hub, and before it has a log kills it some times.
func (r *run) start() {
	rng := r.random(-2)
	for range 4 {
		r.killStarting(below(rng, 80*time.Millisecond))
	}
	trial.Begin(r.t, r.hub)
}

// random is a source of its own for each that needs one.
func (r *run) random(who int) *rand.Rand { return rand.New(rand.NewPCG(r.seed, uint64(who))) }

// mistake notes what the hub should not have said.
func (r *run) mistake(format string, args ...any) {
	if r.mistakes.Add(1) <= 10 {
		r.t.Errorf(format, args...)
	}
}

// kill lets the publishers publish while the hub is killed in rounds, and returns
// when all have their answers.
func (r *run) kill(durable, memory, rounds int) {
	ctx, stop := context.WithCancel(r.t.Context())
	var work sync.WaitGroup
	var done bool
	defer work.Wait()
	defer func() {
		stop()
		if !done {
			r.losePatience()
		}
	}()
	r.publishers = durable + memory
	for i := range durable {
		p := newPublisher(r, i, topics)
		work.Go(func() { p.publish(ctx, p.durable()) })
	}
	for i := range memory {
		p := newPublisher(r, durable+i, memoryTopics)
		work.Go(func() { p.publish(ctx, p.memory()) })
	}
	r.killRounds(rounds)
	done = true
}

// settle lets everybody follow in peace, marks the end, and waits until all have
// come there.
func (r *run) settle() {
	r.calmDown()
	marks := make(map[string]uint64)
	r.mark(marks, topics)
	r.mark(marks, memoryTopics)
	ctx := trial.Soon(r.t)
	for _, f := range r.followers {
		if err := f.Wait(ctx, func(*harness.Subscriber) bool { return f.has(marks) }); err != nil {
			r.t.Errorf("%s does not catch up: %v", f.name, err)
		}
	}
}

// mark publishes the last event of each topic.
func (r *run) mark(at map[string]uint64, topics []string) {
	var marks []harness.Event
	for _, topic := range topics {
		id := "mark-" + topic
		marks = append(marks, harness.Event{Topic: topic, Type: "mark", ID: id, Data: id})
	}
	a, _, err := harness.PublishNoted(trial.Soon(r.t), r.hub.URL("/v1/events"), r.record, marks...)
	if err != nil || a.Status != http.StatusOK {
		r.t.Fatalf("publish the marks: %d %s %v", a.Status, a.Detail, err)
	}
	for i, topic := range topics {
		at[topic] = a.Events[i].Offset
	}
}

func (r *run) report(table *trial.Table) {
	found := r.record.Judge()
	for _, sentence := range found.Details {
		r.t.Error(sentence)
	}
	connects := 0
	for _, f := range r.followers {
		n, _ := f.Connects()
		connects += n
	}
	k := &r.killed
	table.Row("publishers", "", "%d", r.publishers)
	table.Row("subscribers, and their connections", "", "%d, %d", len(r.followers), connects)
	table.Row("kills, and of these while it was starting", "", "%d, %d", k.kills, k.starting)
	table.Row("ready again after a kill, p50 and longest", "", "%v, %v", k.readyAt(0.5), k.readyAt(1))
	found.Describe(table)
	table.Row("tries that had no final answer", "", "%d", r.tries.Load())
	table.Row("publishes cut by a crash, and found stored by the next try", "", "%d", r.found.Load())
	table.Row("memory of the hub at the end (RSS)", "", "%d MB", trial.Usage(r.t, r.hub).RSS>>20)
	found.Count(table)
	table.Count("repeats that were not answered as repeats", int(r.unlike.Load()))
	table.Count("answers that should not be", int(r.mistakes.Load()))
	table.Count("deliveries of other data than was sent", int(r.otherData.Load()))
	table.Count("ends of the hub by itself", k.byItself)
}

// resets counts the resets that anybody was told.
func (r *run) resets() (n int) {
	for _, f := range r.followers {
		for _, v := range f.Verdicts() {
			if strings.HasPrefix(v, "reset") {
				n++
			}
		}
	}
	return n
}

// wrongState compares the hub's state with the last event of each key as somebody
// saw it who sees everything.
func (r *run) wrongState(everything *follower) (wrong int) {
	_, text := trial.Get(r.t, r.hub, "/v1/state?topic=**")
	var state struct {
		Items []struct {
			Topic, Key string
			Version    uint64
			Data       json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(text), &state); err != nil {
		r.t.Fatalf("the state: %v", err)
	}
	want := everything.state()
	for _, item := range state.Items {
		of := entity{item.Topic, item.Key}
		if want[of] != (value{item.Version, string(item.Data)}) {
			wrong++
			r.t.Errorf("the state of %v is %d %s; its last event was %v", of, item.Version, item.Data, want[of])
		}
		delete(want, of)
	}
	for of, last := range want {
		wrong++
		r.t.Errorf("there is no state of %v; its last event was %v", of, last)
	}
	return wrong
}

// kills are what was done to the hub.
type kills struct {
	kills, starting, byItself int
	ready                     []time.Duration
}

// killRounds kills the hub at a random moment, sometimes again before it is ready,
// and waits until it is.
func (r *run) killRounds(rounds int) {
	k, rng := &r.killed, r.random(-1)
	fastest := 50 * time.Millisecond
	logged := time.Now()
	for round := range rounds {
		time.Sleep(50*time.Millisecond + below(rng, 2450*time.Millisecond))
		if r.hub.Signal(0) != nil {
			k.byItself++
		}
		r.killNow()
		for rng.IntN(2) == 0 {
			r.killStarting(below(rng, fastest))
		}
		began := time.Now()
		trial.Begin(r.t, r.hub)
		k.ready = append(k.ready, time.Since(began))
		fastest = slices.Min(k.ready)
		if time.Since(logged) > 10*time.Second {
			logged = time.Now()
			r.t.Logf("round %d of %d: %d kills, %d of them while it was starting", round+1, rounds, k.kills, k.starting)
		}
	}
}

func (r *run) killNow() {
	if err := r.hub.Kill(); err != nil {
		r.t.Errorf("kill: %v", err)
	}
	r.killed.kills++
}

// killStarting starts the hub and kills it so long after.
func (r *run) killStarting(after time.Duration) {
	ctx, cancel := context.WithTimeout(r.t.Context(), after)
	defer cancel()
	switch err := r.hub.Start(ctx); {
	case errors.Is(err, context.DeadlineExceeded):
		r.killed.starting++
	case err != nil:
		r.killed.byItself++
		r.t.Error(err)
	}
	r.killNow()
}

func (k *kills) readyAt(quantile float64) time.Duration {
	if len(k.ready) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(k.ready))
	return sorted[int(quantile*float64(len(sorted)-1))].Round(time.Millisecond)
}

// below is a duration below the limit.
func below(rng *rand.Rand, limit time.Duration) time.Duration {
	return time.Duration(rng.Int64N(int64(limit)))
}

type entity struct{ topic, key string }

func (e entity) String() string { return fmt.Sprintf("%s in %s", e.key, e.topic) }
