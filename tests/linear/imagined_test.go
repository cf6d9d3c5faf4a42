package linear

import (
	"cmp"
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
)

// A flaw is one way to break the promise, now and then.
type flaw string

const (
	flawless           flaw = ""
	uncheckedCondition flaw = "a condition is not checked"
	firstConditionOnly flaw = "of a batch only the first condition is checked"
	staleConflict      flaw = "a conflict tells of the version before"
	staleState         flaw = "the state is from before the last write"
	storedTwice        flaw = "a repeat is stored again"
	storedNever        flaw = "a yes is not stored"
	storedRefusal      flaw = "a refusal is stored"
	halfBatch          flaw = "the second event of a batch is lost"
	forgottenRemoval   flaw = "a removal takes the version with it"
	lateAnswer         flaw = "a yes comes before the write"
)

// imagined is a hub as simple as can be, behind a lock. It loses answers, and may
// store what it has not answered much later, or never.
type imagined struct {
	flaw flaw

	mu     sync.Mutex
	rand   *rand.Rand
	log    []nave.Event
	latest map[key]nave.Event
	before map[key]nave.Event // latest, as it was before the last write
	places map[string]uint64  // by id of the first event
	late   []func()           // not answered, and still under way
}

func imagine(f flaw, seed, number uint64) *imagined {
	return &imagined{
		flaw: f, rand: rand.New(rand.NewPCG(seed, number)),
		latest: make(map[key]nave.Event), before: make(map[key]nave.Event), places: make(map[string]uint64),
	}
}

// breaks says that now is the time for this flaw.
func (h *imagined) breaks(f flaw) bool { return h.flaw == f && h.rand.IntN(8) == 0 }

func (h *imagined) Await(ctx context.Context) error { return ctx.Err() }

func (h *imagined) Publish(_ context.Context, events ...nave.Event) (hub.Published, error) {
	runtime.Gosched()
	defer runtime.Gosched()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.goOn()
	nobody := nave.Errorf(nave.CodeUnavailable, "nobody knows")
	switch p := h.rand.IntN(20); {
	case p == 0:
		return hub.Published{}, nobody
	case p == 1:
		h.late = append(h.late, func() { _, _ = h.publish(events) })
		return hub.Published{}, nobody
	case h.breaks(lateAnswer) && h.places[events[0].ID] == 0 && len(h.conflicts(events)) == 0:
		h.late = append(h.late, func() { h.store(events) })
		return answer(events, h.head()+1, false), nil
	}
	return h.publish(events)
}

// goOn does some of what is under way.
func (h *imagined) goOn() {
	for len(h.late) > 0 && h.rand.IntN(6) == 0 {
		h.late[0]()
		h.late = h.late[1:]
	}
}

func (h *imagined) publish(events []nave.Event) (hub.Published, error) {
	if first := h.places[events[0].ID]; first > 0 && !h.breaks(storedTwice) {
		return answer(events, first, true), nil
	}
	if conflicts := h.conflicts(events); len(conflicts) > 0 && !h.breaks(uncheckedCondition) {
		if h.breaks(storedRefusal) {
			h.store(events)
		}
		return hub.Published{}, &nave.ConflictError{Conflicts: conflicts}
	}
	if h.breaks(storedNever) {
		return answer(events, h.head()+1, false), nil
	}
	return answer(events, h.store(events), false), nil
}

func (h *imagined) head() uint64 { return uint64(len(h.log)) }

func (h *imagined) conflicts(events []nave.Event) (all []nave.Conflict) {
	onlyFirst := h.breaks(firstConditionOnly)
	for i, e := range events {
		k, _ := keyOf(&e)
		now, there := h.latest[k]
		if e.IfVersion == nil || *e.IfVersion == now.Offset || i > 0 && onlyFirst {
			continue
		}
		told := nave.Conflict{Topic: e.Topic, Key: e.Key, IfVersion: *e.IfVersion, Version: now.Offset}
		if there {
			told.Event = &now
		}
		if old, were := h.before[k]; were && h.breaks(staleConflict) {
			told.Version, told.Event = old.Offset, &old
		}
		all = append(all, told)
	}
	return all
}

// store adds the events to the log, and says where the first of them is.
func (h *imagined) store(events []nave.Event) (first uint64) {
	first = h.head() + 1
	for i, e := range events {
		e.Offset = h.head() + 1
		if i > 0 && h.breaks(halfBatch) {
			e.Key = "" // it is in the log, and has no effect
		}
		h.log = append(h.log, e)
		k, err := keyOf(&e)
		if err != nil {
			continue
		}
		if now, there := h.latest[k]; there {
			h.before[k] = now
		}
		h.latest[k] = e
		if e.Tombstone() && h.breaks(forgottenRemoval) {
			delete(h.latest, k)
		}
	}
	h.places[events[0].ID] = first
	return first
}

func answer(events []nave.Event, first uint64, repeat bool) hub.Published {
	p := hub.Published{Repeat: repeat}
	for i := range events {
		at := first + uint64(i)
		p.Events = append(p.Events, hub.Placed{ID: events[i].ID, Offset: at, Version: at})
		p.Cursor = nave.Cursor{Epoch: "imagined", Offset: at}
	}
	return p
}

func (h *imagined) State(context.Context, nave.Filter) (nave.Cursor, []nave.Event, error) {
	runtime.Gosched()
	defer runtime.Gosched()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.goOn()
	var items []nave.Event
	for k, e := range h.latest {
		if old, were := h.before[k]; were && h.breaks(staleState) {
			e = old
		}
		if !e.Tombstone() {
			items = append(items, e)
		}
	}
	return nave.Cursor{Epoch: "imagined", Offset: h.head()}, items, nil
}

func (h *imagined) Page(_ context.Context, _ nave.Filter, after nave.Cursor) (nave.Cursor, []nave.Event, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return nave.Cursor{Epoch: "imagined", Offset: h.head()}, slices.Clone(h.log[after.Offset:]), nil
}

// A hub that keeps the promise is never blamed, whatever becomes of the publishes
// that it does not answer; one that breaks it now and then is found out.
func TestImaginedHubs(t *testing.T) {
	const histories = 300
	seed := seed(t)
	for _, f := range []flaw{
		flawless, uncheckedCondition, firstConditionOnly, staleConflict, staleState, storedTwice,
		storedNever, storedRefusal, halfBatch, forgottenRemoval, lateAnswer,
	} {
		t.Run(cmp.Or(string(f), "none"), func(t *testing.T) {
			found := 0
			for n := range uint64(histories) {
				g := &game{hub: imagine(f, seed, n), place: "imagined", clients: 4, steps: 8, seed: seed, number: n}
				h, err := g.play(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				settled := h.settle()
				verdict := check(settled)
				if verdict == porcupine.Illegal {
					found++
				}
				if f == flawless && verdict != porcupine.Ok {
					t.Fatalf("history %d is %v: %s", n, verdict, draw(settled))
				}
			}
			t.Logf("%d of %d histories are not linearizable", found, histories)
			if f != flawless && found == 0 {
				t.Errorf("none of %d histories shows that %s", histories, f)
			}
		})
	}
}
