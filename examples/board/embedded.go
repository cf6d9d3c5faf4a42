package main

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.uber.org/fx"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/examples/board/store"
	"github.com/navehub/nave/wiring"
)

// An embedded hub is an fx application of its own within this process, so that it
// can end and start anew while the board goes on. One that fails is started again.
type embedded struct {
	// Set by newEmbedded, never changed.
	data    string // the folder of the log and the key
	store   *store.Store
	counter *counter

	started     bool // set by start
	connections connections
	running     atomic.Pointer[instance] // nil while the hub is down
	ending      chan context.Context
	ended       chan error
}

// An instance is one life of the hub.
type instance struct {
	app     *fx.App
	hub     *hub.Hub
	handler wiring.Handler
	failed  chan struct{}
	kill    chan time.Duration // for how long
}

func newEmbedded(o options, s *store.Store, c *counter) *embedded {
	return &embedded{
		data: o.data, store: s, counter: c,
		ending: make(chan context.Context), ended: make(chan error),
	}
}

// rules say what a yes to an event is worth.
var rules = []hub.TopicRule{
	{Filter: "sessions/*", Durability: nave.Memory},
	{Filter: nave.Filter(relayTopic), Durability: nave.Memory},
	{Filter: "analytics/*", Durability: nave.Transient, Rate: 100},
	{Filter: "**", Durability: nave.Durable},
}

// week is for how long durable events are kept and their ids known: for so long may
// the relay be in doubt whether it has published something.
const week = 7 * 24 * time.Hour

func (e *embedded) application(now *instance) *fx.App {
	return fx.New(
		fx.NopLogger, // its errors are those of Start
		wiring.Core,
		wiring.DurableLog(filepath.Join(e.data, "hub"), eventlog.Options{
			Durable: eventlog.Retention{Age: week}, IdempotencyWindow: week, // the rest is as by default
		}),
		fx.Supply(e.store, hub.Config{Topics: rules}),
		fx.Provide(func(lc fx.Lifecycle) (*auth.Authority, error) { return authority(lc, keyFile(e.data)) }),
		// A hub that gives up ends its own application only.
		fx.Decorate(func(fx.Shutdowner) fx.Shutdowner { return now }),
		wiring.Extension(relayOf(e.store)),
		wiring.Extension(bridgeTo(e.store)),
		wiring.Extension(e.counter.extension()),
		fx.Populate(&now.hub, &now.handler),
		fx.Invoke(wake),
	)
}

// Shutdown is called by a hub that gives up.
func (i *instance) Shutdown(...fx.ShutdownOption) error {
	select {
	case i.failed <- struct{}{}:
	default: // it has been heard
	}
	return nil
}

// authority knows who may do what by the tokens that the api makes. How the hub
// fares is everybody's to see, on /dashboard.
func authority(lc fx.Lifecycle, keyFile string) (*auth.Authority, error) {
	verifier, err := auth.NewVerifier(auth.VerifierConfig{Sources: []auth.Source{{File: keyFile}}})
	if err != nil {
		return nil, err
	}
	lc.Append(fx.StopHook(verifier.Close))
	return auth.NewAuthority(auth.AuthorityConfig{
		Verifier:  verifier,
		Anonymous: auth.NewGrant(auth.Filters{Admin: nave.Filters{"health"}}),
	}), nil
}

func (e *embedded) begin(ctx context.Context) (*instance, error) {
	now := &instance{failed: make(chan struct{}, 1), kill: make(chan time.Duration, 1)}
	now.app = e.application(now)
	if err := now.app.Start(ctx); err != nil {
		return nil, err
	}
	e.running.Store(now)
	return now, nil
}

// start starts the hub, which lasts until stop.
func (e *embedded) start(ctx context.Context) error {
	first, err := e.begin(ctx)
	if err != nil {
		return err
	}
	e.started = true
	go e.keep(first)
	return nil
}

// stop ends the hub in good order, if it was started: whoever is connected is told.
func (e *embedded) stop(ctx context.Context) error {
	if !e.started {
		return nil
	}
	select {
	case e.ending <- ctx:
		return <-e.ended
	case <-ctx.Done(): // it is being started or ended, and takes too long
		return ctx.Err()
	}
}

const (
	restartAfter = time.Second
	// patience is how long a hub may take to start or to end.
	patience = 15 * time.Second
)

// keep starts the hub again whenever it ends, until stop.
func (e *embedded) keep(now *instance) {
	for {
		pause := restartAfter
		select {
		case ctx := <-e.ending:
			err := now.app.Stop(ctx)
			e.running.Store(nil)
			e.ended <- err
			return
		case pause = <-now.kill:
			slog.Warn("the hub is stopped, as somebody wants on the page; changes wait in the outbox", "for", pause)
		case <-now.failed:
			slog.Error("the hub has given up, and is started anew; changes wait in the outbox", "in", pause)
		}
		e.end(now)
		if now = e.beginAgain(pause); now == nil {
			e.ended <- nil
			return
		}
		slog.Info("the hub is back, and is told of the changes that waited")
	}
}

// end ends the hub for those outside as if its process had been killed: their
// connections break, and nobody is told why.
func (e *embedded) end(now *instance) {
	e.running.Store(nil)
	e.connections.cut()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := now.app.Stop(ctx); err != nil {
		slog.Warn("the hub did not end in good order", "error", err)
	}
}

// beginAgain is nil if stop comes first.
func (e *embedded) beginAgain(pause time.Duration) *instance {
	for {
		select {
		case <-e.ending:
			return nil
		case <-time.After(pause):
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		now, err := e.begin(ctx)
		cancel()
		if err == nil {
			return now
		}
		pause = min(max(2*pause, restartAfter), 30*time.Second)
		slog.Error("the hub cannot be started; it is tried again", "error", err, "in", pause)
	}
}

// kill ends the hub, and has it start again after a while. It is down from now on.
func (e *embedded) kill(pause time.Duration) error {
	now := e.running.Load()
	if now == nil || !e.running.CompareAndSwap(now, nil) {
		return newProblem(http.StatusConflict, "the hub is down already, or about to be")
	}
	now.kill <- pause // there is room: it happens once
	return nil
}

// ServeHTTP is the hub's surface, or what a proxy says while there is none.
func (e *embedded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer e.connections.enter(r)()
	now := e.running.Load() // after enter, so that whoever sees a hub that is killed is cut
	if now == nil {
		refuse(w, newProblem(http.StatusBadGateway, "the hub is down"))
		return
	}
	now.handler.ServeHTTP(w, r)
}

var errDown = nave.Errorf(nave.CodeUnavailable, "the hub is down")

func (e *embedded) publish(ctx context.Context, event nave.Event) error {
	now := e.running.Load()
	if now == nil {
		return errDown
	}
	_, err := now.hub.Publish(ctx, event)
	return err
}

// streams is "on", or "off" while somebody has switched them off.
func (e *embedded) streams() (string, error) {
	now := e.running.Load()
	switch {
	case now == nil:
		return "", errDown
	case now.hub.Service().Pin != nil:
		return "off", nil
	}
	return "on", nil
}

// stream allows streams, or has everybody poll.
func (e *embedded) stream(ctx context.Context, allowed bool) error {
	now := e.running.Load()
	if now == nil {
		return errDown
	}
	if allowed {
		return now.hub.Pin(ctx, nil)
	}
	return now.hub.Pin(ctx, &hub.Pin{Level: nave.LevelPolling, By: "the board", Reason: "somebody tries the switch", At: time.Now()})
}
