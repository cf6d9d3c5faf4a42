package power

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/navehub/nave"
	"github.com/navehub/nave/tests/history"
)

var errNetwork = errors.New("the network breaks")

const faultStart = "hubs that did not start, or stop"

// faults must not happen, beside those that the history finds.
var faults = []string{
	faultStart,
	"errors that the hub logged with the power on",
	"publishes refused for no reason",
	"stored again instead of repeated",
	"subscribers refused",
	"subscribers told nonsense",
	"subscribers that did not catch up",
	"seen before a cut, and gone after it",
	"state that is not the last event of its key",
}

// A world is all that is outside of the hub and outlives it: the disk, the
// publishers and the subscribers of one seed.
type world struct {
	t    *testing.T
	seed uint64
	machine
	record *history.Record
	tally  *tally
	random *rand.Rand

	retention bool // durable events leave the log soon
	padding   int  // bytes that events carry at most
	config    shape

	publishers  []*publisher
	subscribers []*subscriber
	peeker      *peeker

	mu     sync.Mutex
	events map[string]*published   // by id
	latest map[entity]stand        // of durable keys
	shown  map[string]history.Seen // to somebody, by id, though without a cursor
	failed map[string]int
}

// published is an event that was sent, with its batch.
type published struct {
	*nave.Event
	attempt *attempt
}

// A stand is the last that is known to be stored of a key.
type stand struct {
	offset    uint64
	id        string
	tombstone bool
}

func newWorld(t *testing.T, seed uint64, sum *tally, machine func(*rand.Rand) machine) *world {
	w := &world{
		t: t, seed: seed, record: history.New(), tally: sum,
		events: make(map[string]*published), latest: make(map[entity]stand),
		shown: make(map[string]history.Seen), failed: make(map[string]int),
	}
	w.random = w.stream("world")
	w.machine = machine(w.stream("machine"))
	w.retention = w.random.IntN(3) == 0
	w.padding = 200
	if !w.retention && w.random.IntN(3) == 0 {
		w.padding = 20_000 // Pebble flushes, first after 256 KB
	}
	w.config = drawShape(w.random)
	for i := range 3 {
		w.publishers = append(w.publishers, newPublisher(w, fmt.Sprint("p", i)))
	}
	w.subscribers = []*subscriber{
		newSubscriber(w, "all that is durable", false, "cards/*", "lists/*"),
		newSubscriber(w, "one topic", false, "cards/1"),
		newSubscriber(w, "memory topics", true, "presence/**"),
		newSubscriber(w, "both", true, "lists/**", "presence/2"),
	}
	w.peeker = newPeeker(w)
	return w
}

// stream is randomness that only its owner uses, so that the order in which
// goroutines run does not change what any of them draws.
func (w *world) stream(owner string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(owner))
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

// fault counts what must not happen, and says the first few.
func (w *world) fault(what, format string, args ...any) {
	w.tally.add(what, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed[what]++; w.failed[what] <= 3 {
		w.t.Errorf("seed %d: %s: %s", w.seed, what, fmt.Sprintf(format, args...))
	}
}

func (w *world) count(what string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed[what]
}

func (w *world) sent(a *attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range a.events {
		w.events[a.events[i].ID] = &published{&a.events[i], a}
	}
}

// stored notes where the events of an acknowledged batch are.
func (w *world) stored(a *attempt, offsets []uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range a.events {
		w.stands(a.events[i].ID, offsets[i])
	}
}

// sighted notes where an event was seen.
func (w *world) sighted(e history.Seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stands(e.ID, e.Offset)
}

// glimpsed notes an event that somebody has been shown, and may forget again.
func (w *world) glimpsed(e history.Seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shown[e.ID] = e
}

func (w *world) stands(id string, offset uint64) {
	e := w.events[id]
	if e == nil || e.Key == "" || !durable.Match(e.Topic) {
		return
	}
	of := entity{e.Topic, e.Key}
	if offset > w.latest[of].offset {
		w.latest[of] = stand{offset, id, e.Tombstone()}
	}
}

// A listener hears of errors that a hub logs while it has power.
type listener struct {
	world  *world
	supply *supply
}

func (l listener) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }

func (l listener) Handle(_ context.Context, r slog.Record) error {
	if l.supply.on() {
		text := r.Message
		r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
		l.world.fault("errors that the hub logged with the power on", "%.2000s", text)
	}
	return nil
}

func (l listener) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l listener) WithGroup(string) slog.Handler      { return l }
