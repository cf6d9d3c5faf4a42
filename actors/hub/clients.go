package hub

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/actors/presence"
	"github.com/navehub/nave/supervision"
)

// A clientsMessage is anything the parent of the clients accepts.
//
//sumtype:decl
type clientsMessage interface{ clientsMessage() }

// connect asks for a client actor.
type connect struct {
	actors.Reply[uint64]
	owner owner
	takes nave.Feature
	spec  func(id uint64) actors.Spec[client.Message]
	// visible has who it is, and where it is to be seen; nil: nowhere.
	visible *presence.Connection
}

// dismiss says bye to every client; none is spawned after it.
type dismiss struct {
	actors.Reply[int]
	bye client.Bye
}

// recheck has every client look at its token. A client that is connecting meanwhile
// either is listed before, or looks at it later, as it starts.
type recheck struct{}

// levelChanged tells every client. A stream that is connecting meanwhile either is
// listed before, or is refused.
type levelChanged struct {
	level   nave.Level
	reason  string
	atLeast time.Duration // 0 if nobody knows
}

func (recheck) clientsMessage()      {}
func (levelChanged) clientsMessage() {}
func (connect) clientsMessage()      {}
func (dismiss) clientsMessage()      {}

// ControlMessage marks what must not wait for a crowd that connects.
func (recheck) ControlMessage() {}

// ControlMessage marks what must not wait for a crowd that connects.
func (levelChanged) ControlMessage() {}

// PromptMessage lets who connects start the client, instead of waiting for it.
func (connect) PromptMessage() {}

// roster is the living clients. Their parent adds; each takes itself out.
type roster struct {
	mu     sync.Mutex
	refs   map[uint64]member
	owners map[owner]*holding
	count  atomic.Int64  // of refs
	empty  chan struct{} // poked whenever the last one leaves
}

type member struct {
	actors.Ref[client.Message]
	holding *holding             // nil if nobody is bounded by it
	visible *presence.Connection // nil if it is to be seen nowhere
}

// A holding is how many clients an owner has.
type holding struct {
	owner   owner
	clients int
}

// add lists a client before it starts, so that one that ends at once finds itself.
func (r *roster) add(id uint64, of owner, visible *presence.Connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refs == nil {
		r.refs, r.owners = make(map[uint64]member), make(map[owner]*holding)
	}
	var h *holding
	if of != (owner{}) {
		if h = r.owners[of]; h == nil {
			h = &holding{owner: of}
			r.owners[of] = h
		}
		h.clients++
	}
	r.refs[id] = member{holding: h, visible: visible}
	r.count.Store(int64(len(r.refs)))
}

// ownedBy is how many clients the owner has.
func (r *roster) ownedBy(o owner) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.owners[o]; h != nil {
		return h.clients
	}
	return 0
}

// set gives a client its Ref, unless it has left meanwhile.
func (r *roster) set(id uint64, ref actors.Ref[client.Message]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m, ok := r.refs[id]; ok {
		m.Ref = ref
		r.refs[id] = m
	}
}

// get finds a client.
func (r *roster) get(id uint64) (ref actors.Ref[client.Message], ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.refs[id]
	return m.Ref, ok && !m.IsZero()
}

func (r *roster) all() []actors.Ref[client.Message] {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]actors.Ref[client.Message], 0, len(r.refs))
	for _, m := range r.refs {
		all = append(all, m.Ref)
	}
	return all
}

// remove reports whether the client was to be seen somewhere.
func (r *roster) remove(id uint64) (visible bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.refs[id]
	if !ok {
		return false
	}
	delete(r.refs, id)
	if h := m.holding; h != nil {
		if h.clients--; h.clients == 0 {
			delete(r.owners, h.owner)
		}
	}
	r.count.Store(int64(len(r.refs)))
	if len(r.refs) > 0 {
		return m.visible != nil
	}
	r.refs, r.owners = nil, nil // a map never gives back what a crowd made it grow to
	select {
	case r.empty <- struct{}{}:
	default:
	}
	return m.visible != nil
}

// visible is where a client is to be seen; nil if it is nowhere.
func (r *roster) visible(id uint64) *presence.Connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refs[id].visible
}

// allVisible are the clients that are to be seen somewhere.
func (r *roster) allVisible() []*presence.Connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []*presence.Connection
	for _, m := range r.refs {
		if m.visible != nil {
			all = append(all, m.visible)
		}
	}
	return all
}

// wait returns when no client is left.
func (r *roster) wait(ctx context.Context) error {
	for r.count.Load() > 0 {
		select {
		case <-r.empty:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// clientsActor is the parent of all clients, and of waiting polls.
type clientsActor struct {
	hub       *Hub
	dismissed bool
}

func (h *Hub) clientsSpec() actors.Spec[clientsMessage] {
	return actors.Spec[clientsMessage]{
		Kind:    supervision.Clients,
		Mailbox: actors.Limits{Count: 16 << 10},
		New:     func() actors.Actor[clientsMessage] { return &clientsActor{hub: h} },
	}
}

func (a *clientsActor) Receive(c *actors.Context[clientsMessage], m clientsMessage) {
	switch m := m.(type) {
	case connect:
		a.connect(c, m)
	case recheck:
		for _, ref := range a.hub.clients.all() {
			_ = ref.Tell(client.Recheck{}) // stopped: it needs none; full: its heartbeat does the same
		}
	case levelChanged:
		told := client.Level{
			Level: m.level, Reason: m.reason, AtLeast: m.atLeast,
			Retry: a.hub.config.Client.Retry, Spread: a.hub.config.RetrySpread,
		}
		for _, ref := range a.hub.clients.all() {
			_ = ref.Tell(told) // stopped: it needs none
		}
	case dismiss:
		a.dismissed = true
		all := a.hub.clients.all()
		for _, ref := range all {
			_ = ref.Tell(m.bye) // stopped: it needs none
		}
		m.Send(len(all))
	}
}

func (a *clientsActor) connect(c *actors.Context[clientsMessage], m connect) {
	r := &a.hub.clients
	switch limit := a.hub.config.Limits.Clients; {
	case a.dismissed:
		m.Fail(errDraining)
		return
	case r.count.Load() >= int64(limit):
		m.Fail(nave.Errorf(nave.CodeOverloaded, "the hub has %d subscribers, as many as it may", limit).After(5 * time.Second))
		return
	}
	if err := a.hub.given(m.takes); err != nil {
		m.Fail(err)
		return
	}
	if err := a.hub.config.Limits.checkOwner(m.owner, r.ownedBy(m.owner)); err != nil {
		m.Fail(err)
		return
	}
	id := a.hub.clientID.Add(1)
	spec := m.spec(id)
	r.add(id, m.owner, numbered(m.visible, id))
	ref, err := actors.Spawn(c, strconv.FormatUint(id, 10), spec)
	if err != nil {
		r.remove(id)
		m.Fail(err)
		return
	}
	r.set(id, ref)
	if m.visible != nil {
		a.hub.attend(attend{id})
	}
	m.Send(id)
}

// desk is the dispatchers as their clients see them.
type desk struct{ hub *Hub }

func (s desk) dispatcher(id uint64) actors.Ref[dispatcherMessage] {
	return s.hub.dispatchers[id%uint64(len(s.hub.dispatchers))]
}

func (s desk) Attach(id uint64, filters nave.Filters, to actors.Ref[client.Message]) error {
	return s.dispatcher(id).Tell(attach{id, filters, to})
}

// Detach takes the client off its dispatcher and the roster. A dispatcher too
// busy to hear it finds out by its next offer.
func (s desk) Detach(id uint64) {
	_ = s.dispatcher(id).Tell(detach{id})
	if s.hub.clients.remove(id) {
		s.hub.attend(attend{id})
	}
}

// Connect hands a stream over to a client actor, which owns its transport from
// then on, whatever happens; on error the caller still owns it.
func (h *Hub) Connect(ctx context.Context, req client.Request) error {
	if err := cmp.Or(h.checkFilters(req.Filters), h.checkPresence(req.Presence)); err != nil {
		return err
	}
	return h.spawnClient(ctx, req, nave.Streams, func(id uint64) actors.Spec[client.Message] {
		return client.Spec(id, req, h.clientDeps)
	})
}

func (h *Hub) spawnClient(ctx context.Context, req client.Request, takes nave.Feature, spec func(uint64) actors.Spec[client.Message]) error {
	// Not to be given up on: an actor that nobody waits for any more would serve a
	// transport that is not its own. The answer comes at once in any case.
	_, err := actors.Ask(context.WithoutCancel(ctx), h.clientSpawner, func(r actors.Reply[uint64]) clientsMessage {
		return connect{Reply: r, owner: ownerOf(req), takes: takes, spec: spec, visible: visibleOf(req)}
	})
	switch {
	case isFull(err):
		return nave.Errorf(nave.CodeOverloaded, "too many subscribers connect at once").After(time.Second)
	case errors.Is(err, actors.ErrStopped):
		return errDraining
	}
	return err
}

func (h *Hub) checkFilters(filters nave.Filters) error {
	switch limit := h.config.Limits.Filters; {
	case len(filters) == 0:
		return nave.Errorf(nave.CodeInvalid, "no topic asked for: add ?topic=cards/** or several of them")
	case len(filters) > limit:
		return nave.Errorf(nave.CodeTooMany, "%d filters asked for; at most %d are allowed", len(filters), limit)
	}
	return nil
}
