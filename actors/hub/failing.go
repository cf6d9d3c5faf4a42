package hub

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/registry"
)

const (
	// topicBreaker begins the name of a topic's breaker.
	topicBreaker = "topic-"
	// topicBreakers is how many there may be. Topics beyond them fail one publish at a
	// time.
	topicBreakers = 100
	// tidyEvery is how often those are looked for that have been closed for quietFor, and
	// have no failure left to count.
	tidyEvery = 10 * time.Second
	quietFor  = time.Minute
)

// failing has the breakers of the topics whose actors fail. Their parent adds and
// removes; anybody finds.
type failing struct {
	breakers sync.Map // nave.Topic → *breaker.Breaker
	count    int      // owned by their parent
}

func (f *failing) find(t nave.Topic) *breaker.Breaker {
	b, ok := f.breakers.Load(t)
	if !ok {
		return nil
	}
	return b.(*breaker.Breaker)
}

// named finds a breaker by its name.
func (f *failing) named(name string) *breaker.Breaker {
	topic, ok := strings.CutPrefix(name, topicBreaker)
	if !ok {
		return nil
	}
	return f.find(nave.Topic(unescaped.Replace(topic)))
}

// The name of a topic's breaker is one segment, so that it does in a path. What stands
// for a slash is that of JSON Pointer (RFC 6901).
var (
	escaped   = strings.NewReplacer("~", "~0", "/", "~1")
	unescaped = strings.NewReplacer("~0", "~", "~1", "/")
)

func breakerName(t nave.Topic) string { return topicBreaker + escaped.Replace(string(t)) }

// guard counts a failure of a topic that has no breaker yet, or had none when the
// publish began.
func (x *breakersActor) guard(c *actors.Context[breakersMessage], m topicFailed) {
	h, name := x.hub, m.topic.name
	b := h.failing.find(name)
	if b == nil {
		if h.failing.count >= topicBreakers {
			return
		}
		b = breaker.New(breaker.Config{Name: breakerName(name), MinCalls: 5, Probes: 1})
		if b.Spawn(c, x.deps()) != nil {
			return // the hub is ending
		}
		h.failing.breakers.Store(name, b)
		h.failing.count++
	}
	m.topic.breaker.Store(b)
	if t := h.topics.find(name); t != nil { // it may have been spawned anew
		t.breaker.Store(b)
	}
	b.Done(m.err, 0)
}

// tidy lets go of the breakers that are not needed any more.
func (x *breakersActor) tidy(now time.Time) {
	h := x.hub
	rows := h.registry.Snapshot()
	for key, value := range h.failing.breakers.Range {
		name, b := key.(nave.Topic), value.(*breaker.Breaker)
		row, ok := rows.Breaker(b.Name())
		if !ok || row.State != registry.BreakerClosed || row.Failures > 0 || now.Sub(row.Since) < quietFor {
			continue
		}
		h.failing.breakers.Delete(name)
		h.failing.count--
		if t := h.topics.find(name); t != nil {
			t.breaker.CompareAndSwap(b, nil)
		}
		b.Retire(h.registry)
	}
}

// guardAgain gives a topic that has been spawned the breaker that is there for it.
func (h *Hub) guardAgain(t *topic) {
	b := h.failing.find(t.name)
	if b == nil {
		return
	}
	t.breaker.Store(b)
	if h.failing.find(t.name) != b { // it has been let go of meanwhile
		t.breaker.CompareAndSwap(b, nil)
	}
}

// isFailure reports whether an actor has failed over what it was asked.
func isFailure(err error) bool {
	if err == nil {
		return false
	}
	var panicked *actors.PanicError
	return errors.As(err, &panicked)
}

// guarded has the batch admitted by its first topic, unless that one's breaker is open.
// Only a failure of the topic's actor counts: a refusal is its answer.
func (h *Hub) guarded(ctx context.Context, p *publish) error {
	first := p.topics[0]
	b := first.breaker.Load() // nil while all goes well
	if b == nil {
		err := h.admit(ctx, p)
		if isFailure(err) {
			_ = h.breakerSpawner.Tell(topicFailed{first, err}) // full: there are failures enough to count
		}
		return err
	}
	if err := b.Allow(); err != nil {
		return nothingStored(err)
	}
	begun := time.Now()
	err := h.admit(ctx, p)
	if isFailure(err) {
		b.Done(err, time.Since(begun))
	} else {
		b.Done(nil, time.Since(begun))
	}
	return err
}
