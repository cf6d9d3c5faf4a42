package hub

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/supervision"
)

// What follows lets tests make actors fail, and look at what must be in balance
// when nothing is under way.

// FailTopic makes the actor of a live topic panic over a message. It reports
// whether it has.
func (h *Hub) FailTopic(ctx context.Context, name nave.Topic) bool {
	t := h.topics.find(name)
	return t != nil && panics(ctx, t.ref, func(r actors.Reply[struct{}]) topicMessage {
		return publish{Reply: r, topics: []*topic{nil}}
	})
}

// FailTopics makes the parent of the topics panic over a message: it finds
// something else than a topic in its directory.
func (h *Hub) FailTopics(ctx context.Context) bool {
	const name nave.Topic = "$hub/no-topic"
	h.topics.topics.Store(name, "no topic")
	defer h.topics.topics.Delete(name)
	return panics(ctx, h.topicSpawner, func(r actors.Reply[*topic]) spawnTopic {
		return spawnTopic{Reply: r, name: name}
	})
}

// FailClients makes the parent of the clients panic over a message.
func (h *Hub) FailClients(ctx context.Context) bool {
	return panics(ctx, h.clientSpawner, func(r actors.Reply[uint64]) clientsMessage {
		return connect{Reply: r, takes: nave.Pages, spec: func(uint64) actors.Spec[client.Message] { panic("as told") }}
	})
}

// FailDispatcher makes a dispatcher panic over a message. It will, unless it ends
// before.
func (h *Hub) FailDispatcher(i int) bool {
	return h.dispatchers[i].Tell(committed{nil}) == nil
}

// FailBreakers makes the parent of the breakers panic over a message. It will, unless
// it ends before.
func (h *Hub) FailBreakers() bool { return h.breakerSpawner.Tell(topicFailed{}) == nil }

// FailGovernor makes the governor panic over a message, unless such a one waits for it
// already. It will, unless it ends before.
func (h *Hub) FailGovernor() bool {
	if h.governor.Mailbox().Control > 0 {
		return false
	}
	answer := actors.NewReplyThen[struct{}](func() { panic("as told") })
	return h.governor.Tell(setPin{answer, h.Service().Pin}) == nil
}

// panics reports whether the actor has panicked over this message by itself: not
// since something that it calls was told to.
func panics[M, R any](ctx context.Context, to actors.Ref[M], message func(actors.Reply[R]) M) bool {
	_, err := actors.Ask(ctx, to, message)
	var panicked *actors.PanicError
	if !errors.As(err, &panicked) {
		return false
	}
	reason, isError := panicked.Reason.(error)
	var own runtime.Error
	return !isError || errors.As(reason, &own)
}

// A Fragile is an actor that panics when it is told anything: one of the kinds
// whose own code cannot, since nobody tells them anything.
type Fragile struct{ ref actors.Ref[struct{}] }

// Fail makes it panic. It will, unless it ends before.
func (f Fragile) Fail() bool { return f.ref.Tell(struct{}{}) == nil }

// fragile is what an incarnation of it adds to the actor that it stands for.
type fragile struct{ actors.Starter[struct{}] }

func (fragile) Receive(*actors.Context[struct{}], struct{}) { panic("as told") }

// StartFragile is Start with a root that can fail.
func (h *Hub) StartFragile(ctx context.Context) (Fragile, error) {
	log, err := h.open(ctx)
	if err != nil {
		return Fragile{}, err
	}
	h.opened.Store(&log)
	h.history.log.Store(&log)
	h.startedAt = log.Head()
	h.recent.start(h.startedAt)
	h.startGoverning(nil)
	h.running, h.giveUp = context.WithCancel(context.Background())
	h.startRegistry()
	h.system = actors.NewSystem(actors.Options{Logger: h.logger, OnFailure: h.actorFailed})
	spawned := actors.NewReply[error]()
	top, err := actors.Spawn(h.system, "hub", actors.Spec[struct{}]{
		Kind: supervision.Hub,
		New:  func() actors.Actor[struct{}] { return fragile{&root{h, spawned}} },
	})
	if err != nil {
		return Fragile{}, err
	}
	if err, lost := spawned.Wait(ctx); err != nil || lost != nil {
		return Fragile{}, errors.Join(err, lost)
	}
	if h.unobserve, err = h.telemetry.Observe(h.gauges); err != nil {
		return Fragile{}, err
	}
	h.health.set(healthStart, nil)
	return Fragile{top}, nil
}

// parentOf starts extensions as extensionsActor does.
type parentOf struct {
	hub        *Hub
	extensions []Extension
	begun      func() // may panic
}

func (p parentOf) Started(c *actors.Context[struct{}]) {
	for _, e := range p.extensions {
		if _, err := actors.Spawn[client.Message](c, e.Name, p.hub.extensionSpec(e)); err != nil {
			panic(err)
		}
	}
	p.begun()
}

// SpawnExtensions adds a parent of extensions that can fail. begun is called when
// it has started them, in each incarnation.
func (h *Hub) SpawnExtensions(begun func(), extensions ...Extension) (Fragile, error) {
	ref, err := actors.Spawn(h.system, "extensions", actors.Spec[struct{}]{
		Kind: supervision.Extensions,
		New:  func() actors.Actor[struct{}] { return fragile{parentOf{h, extensions, begun}} },
	})
	return Fragile{ref}, err
}

// Dispatchers is how many there are.
func (h *Hub) Dispatchers() int { return len(h.dispatchers) }

// Stats are the figures of every kind of actor.
func (h *Hub) Stats() map[supervision.Kind]actors.KindStats {
	stats := make(map[supervision.Kind]actors.KindStats)
	for _, k := range h.system.Stats() {
		stats[k.Kind] = k
	}
	return stats
}

// Unbalanced says what is still accounted for and should not be when nothing is
// under way.
func (h *Hub) Unbalanced() error {
	var all []error
	h.topics.topics.Range(func(name, t any) bool {
		if held := t.(*topic).inJournal.Load(); held != 0 {
			all = append(all, fmt.Errorf("topic %v: %d bytes in the journal", name, held))
		}
		return true
	})
	if used := h.mailboxes.Used(); used != 0 {
		all = append(all, fmt.Errorf("mailboxes of the clients: %d bytes", used))
	}
	if n, listed := h.Clients(), len(h.clients.all()); n != listed {
		all = append(all, fmt.Errorf("%d clients counted, %d listed", n, listed))
	}
	return errors.Join(all...)
}

// of is the client of this number.
func (r *roster) of(id uint64) actors.Ref[client.Message] {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refs[id].Ref
}
