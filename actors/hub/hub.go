// Package hub is the heart of Nave: it admits events, commits them in one order,
// and hands them to whoever follows them.
//
// The road of an event, each stop a file:
//
//	publish.go     checks a batch and queues it with its topic
//	topic.go       admits it: the topic's rate, its share of the journal
//	journal.go     commits what has gathered as one write, and answers
//	dispatcher.go  offers the committed group to the clients of a shard
//	../client      writes it to the socket
//
// Readers that are behind get the same frames from recent.go, or from the log.
package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/registry"
	"github.com/navehub/nave/supervision"
	"github.com/navehub/nave/telemetry"
)

var errNotStarted = nave.Errorf(nave.CodeUnavailable, "the hub has not started yet").After(time.Second)

var errDraining = nave.Errorf(nave.CodeDraining, "the hub is shutting down").After(time.Second)

// A Hub is one event hub: one log, one order, one tree of actors. Its methods
// may be called from any goroutine.
type Hub struct {
	// Set by New, never changed.
	config    Config
	open      eventlog.Opener
	accepting context.Context // ends when nothing new is accepted
	refuse    context.CancelFunc
	logger    *slog.Logger
	telemetry *telemetry.Telemetry
	recent    *recent
	history   *history
	mailboxes *actors.Budget // of all clients
	guard     *guard         // of the log
	delivery  *breaker.Breaker

	// Set by Start, never changed after.
	registry       *registry.Registry
	startedAt      uint64          // the log's head then
	ahead          time.Duration   // of the steady clock, for a log that was written in the future
	running        context.Context // ends when actors that wait for others have to give up
	giveUp         context.CancelFunc
	system         *actors.System
	journal        actors.Ref[journalMessage]
	dispatchers    []actors.Ref[dispatcherMessage]
	shards         []*shard // of the dispatchers
	retention      actors.Ref[trim]
	governor       actors.Ref[governorMessage]
	presence       actors.Ref[presenceMessage]
	topicSpawner   actors.Ref[spawnTopic]
	breakerSpawner actors.Ref[breakersMessage]
	clientSpawner  actors.Ref[clientsMessage]
	clientDeps     *client.Deps
	unobserve      func()

	// Shared.
	opened     atomic.Pointer[eventlog.Log] // by Start, for the journal to take
	topics     directory
	failing    failing
	clients    roster
	clientID   atomic.Uint64
	deciding   chan struct{} // one of those who keep what operators decide
	publishers gate
	present    present
	receipts   sightings
	health     health
	service    atomic.Pointer[Service] // written by Start, and by the governor
	governing  governing
	failed     chan error
	shutdown   sync.Once
	ended      error // of Shutdown
}

// New makes a hub on the log that open opens. It does nothing before Start.
func New(config Config, open eventlog.Opener) *Hub {
	config = config.withDefaults()
	h := &Hub{
		config:    config,
		open:      open,
		logger:    config.Logger,
		telemetry: config.Telemetry,
		recent:    newRecent(config.Limits.RecentBytes),
		mailboxes: actors.NewBudget(config.Limits.ClientBytes),
		guard:     newGuard(),
		clients:   roster{empty: make(chan struct{}, 1)},
		failed:    make(chan error, 1),
		deciding:  make(chan struct{}, 1),
	}
	h.service.Store(&Service{Level: nave.LevelNormal})
	h.guard.OnReset(func() { _ = h.journal.Tell(reopen{}) }) // full: such tries wait already
	h.delivery = h.newDelivery()
	h.accepting, h.refuse = context.WithCancel(context.Background())
	h.history = &history{
		recent: h.recent, telemetry: h.telemetry, level: h.Level,
		turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), // the others are left to who is live
	}
	h.health.set(healthStart, errors.New("not started"))
	return h
}

// Start opens the log and starts the actors. It fails if the log cannot be
// opened, or if the names of extensions or breakers will not do. Call it once; after an
// error, Shutdown cleans up.
func (h *Hub) Start(ctx context.Context) error {
	if err := errors.Join(h.config.checkExtensions(), h.config.checkBreakers()); err != nil {
		return err
	}
	log, err := h.open(ctx)
	if err != nil {
		return err
	}
	h.opened.Store(&log)
	h.history.log.Store(&log)
	h.startedAt = log.Head()
	h.ahead = max(log.Stats().NewestDurable.Sub(steady()), 0)
	h.recent.start(h.startedAt)
	if err := errors.Join(h.loadRevocations(ctx), h.startService(ctx)); err != nil {
		return err
	}
	h.running, h.giveUp = context.WithCancel(context.Background())
	h.startRegistry()
	h.system = actors.NewSystem(actors.Options{Logger: h.logger, OnFailure: h.actorFailed})
	if err := h.spawnTree(ctx); err != nil {
		return fmt.Errorf("start the actors: %w", err)
	}
	if h.unobserve, err = h.telemetry.Observe(h.gauges); err != nil {
		return fmt.Errorf("register the gauges: %w", err)
	}
	h.health.set(healthStart, nil)
	return nil
}

// startRegistry starts the registry, and hands it to those who write to it.
func (h *Hub) startRegistry() {
	h.registry = registry.New(0)
	h.topics.registry = h.registry
	h.clientDeps = &client.Deps{
		Config: h.config.Client, Dispatcher: desk{h}, History: h.history, Mailboxes: h.mailboxes,
		Authority: h.config.Authority, Registry: h.registry, Telemetry: h.telemetry,
		Level: h.Level, Heartbeat: h.config.Heartbeat,
		Listen: func(id uint64) { h.attend(listen{id}) }, Receipts: h.receiptsWanted,
	}
}

// closed is why nobody may publish or read.
func (h *Hub) closed() error {
	if h.accepting.Err() != nil {
		return errDraining
	}
	return errNotStarted
}

// Accepting ends when the hub begins to shut down: what has been sent to it in
// part will not be accepted any more.
func (h *Hub) Accepting() context.Context { return h.accepting }

// Epoch is the log's identity. The hub must have been started.
func (h *Hub) Epoch() nave.Epoch { return h.history.Epoch() }

// Head is the offset of the newest committed event.
func (h *Hub) Head() uint64 { return h.history.Head() }

// Registry is who is connected, which topics are live, and how the breakers are; nil before Start.
func (h *Hub) Registry() *registry.Registry { return h.registry }

// Clients is how many streams are open, and polls waiting.
func (h *Hub) Clients() int { return int(h.clients.count.Load()) }

// Limits are the hub's, with their defaults.
func (h *Hub) Limits() Limits { return h.config.Limits }

// Ready is nil while the hub can do all it promises, or says why not.
func (h *Hub) Ready() error { return h.health.err() }

// Failed yields the failure that supervision could not contain. The process
// should shut down in good order then, and be started anew.
func (h *Hub) Failed() <-chan error { return h.failed }

// actorFailed hears of every failure; one that escalates is the process's.
func (h *Hub) actorFailed(f supervision.Failure) {
	h.telemetry.ActorFailed(string(f.Kind), f.Directive.String())
	h.logger.Error("actor failed",
		"actor", f.Actor, "message", f.Message, "reason", f.Reason,
		"directive", f.Directive.String(), "failures", f.Failures, "stack", string(f.Stack))
	if f.Directive != supervision.Escalate {
		return
	}
	err := fmt.Errorf("%s failed %d times: %v", f.Actor, f.Failures, f.Reason)
	h.health.set(healthTree, err)
	select {
	case h.failed <- err:
	default: // one is enough
	}
}

// Shutdown ends the hub in good order: it refuses what is new, lets accepted
// publishes be committed, tells every stream to come back later, and closes the
// log. When ctx ends first it stops without waiting further, and says so. A
// second call answers as the first did.
func (h *Hub) Shutdown(ctx context.Context) error {
	h.shutdown.Do(func() { h.ended = h.end(ctx) })
	return h.ended
}

func (h *Hub) end(ctx context.Context) error {
	h.health.set(healthDrain, errDraining)
	h.refuse()
	if h.system == nil {
		return h.closeUnused()
	}
	defer h.registry.Close()
	err := h.drain(ctx)
	h.giveUp()
	if h.unobserve != nil {
		h.unobserve()
	}
	// The log must be closed even if the drain took all the time there was.
	const toStop = 5 * time.Second
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), toStop)
	defer cancel()
	return errors.Join(err, h.system.Shutdown(stopping), h.closeUnused())
}

func (h *Hub) drain(ctx context.Context) error {
	if h.clientSpawner.IsZero() {
		return nil
	}
	if err := h.publishers.close(ctx); err != nil {
		return fmt.Errorf("wait for publishers: %w", err)
	}
	bye := client.Bye{Reason: "shutdown", Retry: h.config.Client.Retry, Spread: h.config.RetrySpread}
	n, err := actors.Ask(ctx, h.clientSpawner, func(r actors.Reply[int]) clientsMessage { return dismiss{r, bye} })
	if err != nil && !errors.Is(err, actors.ErrStopped) { // if it failed for good, they end with it
		return fmt.Errorf("dismiss the clients: %w", err)
	}
	h.logger.Info("draining", "clients", n)
	if err := h.clients.wait(ctx); err != nil {
		return fmt.Errorf("wait for %d clients: %w", h.clients.count.Load(), err)
	}
	return nil
}

// closeUnused closes a log that no journal has taken over.
func (h *Hub) closeUnused() error {
	if log := h.opened.Swap(nil); log != nil {
		return (*log).Close()
	}
	return nil
}
