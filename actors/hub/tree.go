package hub

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/supervision"
)

// root is the parent of all the hub's actors:
//
//	hub
//	├── journal
//	├── dispatch-0 … P-1
//	├── retention
//	├── breakers ── one a breaker
//	├── governor
//	├── presence
//	├── topics ── one a live topic
//	├── clients ── one a stream
//	└── extensions ── the application's own
//
// What becomes of one that fails is in package supervision.
type root struct {
	hub     *Hub
	spawned actors.Reply[error]
}

func (r *root) Receive(*actors.Context[struct{}], struct{}) {}

func (r *root) Started(c *actors.Context[struct{}]) { r.spawned.Send(r.spawn(c)) }

func (h *Hub) spawnTree(ctx context.Context) (err error) {
	spawned := actors.NewReply[error]()
	_, err = actors.Spawn(h.system, "hub", actors.Spec[struct{}]{
		Kind: supervision.Hub,
		New:  func() actors.Actor[struct{}] { return &root{h, spawned} },
	})
	if err != nil {
		return err
	}
	err, lost := spawned.Wait(ctx)
	return errors.Join(err, lost)
}

func (r *root) spawn(c *actors.Context[struct{}]) (err error) {
	h := r.hub
	for i := range h.config.Dispatchers {
		s := newShard()
		h.shards = append(h.shards, s)
		d, err := actors.Spawn(c, "dispatch-"+strconv.Itoa(i), h.dispatcherSpec(s))
		if err != nil {
			return err
		}
		h.dispatchers = append(h.dispatchers, d)
	}
	if h.breakerSpawner, err = actors.Spawn(c, "breakers", h.breakersSpec()); err != nil {
		return err
	}
	if h.journal, err = actors.Spawn(c, "journal", h.journalSpec()); err != nil {
		return err
	}
	if h.retention, err = actors.Spawn(c, "retention", h.retentionSpec()); err != nil {
		return err
	}
	if h.topicSpawner, err = actors.Spawn(c, "topics", h.topicsSpec()); err != nil {
		return err
	}
	if h.presence, err = actors.Spawn(c, "presence", h.presenceSpec()); err != nil {
		return err
	}
	if h.clientSpawner, err = actors.Spawn(c, "clients", h.clientsSpec()); err != nil {
		return err
	}
	if h.governor, err = actors.Spawn(c, "governor", h.governorSpec()); err != nil {
		return err
	}
	h.publishers.open() // extensions are the first
	_, err = actors.Spawn(c, "extensions", h.extensionsSpec())
	return err
}

// extensionsActor is the parent of the application's own actors.
type extensionsActor struct{ hub *Hub }

func (h *Hub) extensionsSpec() actors.Spec[struct{}] {
	return actors.Spec[struct{}]{
		Kind: supervision.Extensions,
		New:  func() actors.Actor[struct{}] { return &extensionsActor{h} },
	}
}

func (x *extensionsActor) Receive(*actors.Context[struct{}], struct{}) {}

func (x *extensionsActor) Started(c *actors.Context[struct{}]) {
	for _, e := range x.hub.config.Extensions {
		if _, err := actors.Spawn[client.Message](c, e.Name, x.hub.extensionSpec(e)); err != nil {
			panic(err)
		}
	}
}

// trim is the time to apply retention.
type trim struct {
	regular bool // not because memory fills
}

// retentionActor applies retention now and then. It blocks nobody but itself.
type retentionActor struct{ hub *Hub }

const (
	trimEvery = 10 * time.Second
	// trimBytes are the memory events after which it is not waited for that.
	trimBytes = 4 << 20
)

func (h *Hub) retentionSpec() actors.Spec[trim] {
	return actors.Spec[trim]{
		Kind:    supervision.Retention,
		Mailbox: actors.Limits{Count: 1},
		New:     func() actors.Actor[trim] { return &retentionActor{h} },
	}
}

func (r *retentionActor) Started(c *actors.Context[trim]) { c.After(trimEvery, trim{regular: true}) }

func (r *retentionActor) Receive(c *actors.Context[trim], m trim) {
	if m.regular {
		c.After(trimEvery, m)
	}
	if err := (*r.hub.history.log.Load()).Trim(context.Background(), r.hub.logTime()); err != nil {
		c.Logger().Warn("retention cannot be applied now", "error", err)
	}
}
