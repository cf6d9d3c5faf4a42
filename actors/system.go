package actors

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/navehub/nave/supervision"
)

// Options configure a System. The zero Options are ready for use.
type Options struct {
	// Logger defaults to slog.Default().
	Logger *slog.Logger
	// OnFailure is told of every failure, after it has been acted upon, on an
	// actor's goroutine. It must not block. Defaults to a line in the log.
	OnFailure func(supervision.Failure)
}

// A System is a tree of actors. Its methods are safe for use by many goroutines.
type System struct {
	// Set by NewSystem, never changed.
	log       *slog.Logger
	onFailure func(supervision.Failure)
	nursery   *nursery
	root      *actor.RootContext

	serial atomic.Uint64 // of the youngest actor
	pool   pool

	mu       sync.Mutex // guards all below
	kinds    map[supervision.Kind]*kind
	stopping bool
}

// NewSystem returns a System without actors. It has no goroutine before the first.
func NewSystem(o Options) *System {
	s := &System{log: o.Logger, onFailure: o.OnFailure, kinds: map[supervision.Kind]*kind{}}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.onFailure == nil {
		s.onFailure = s.logFailure
	}
	strategy := supervision.NewStrategy(s.report)
	s.nursery = newNursery(strategy)
	engine := actor.NewActorSystem(
		// What protoactor logs, we report better; and its dead letters print
		// whole messages.
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		// Not even then can the throttle of dead letters be turned off: it starts
		// a goroutine, which lives for this interval.
		actor.WithDeadLetterThrottleCount(0),
		actor.WithDeadLetterThrottleInterval(1))
	fewerMaps(engine)
	s.root = engine.Root.Copy().WithGuardian(strategy)
	return s
}

// Shutdown stops every actor, children first, and waits until they have ended.
// From the first call on nothing can be spawned. It may be called again, to wait
// longer. It is an error of ctx if some actor still handles a message.
func (s *System) Shutdown(ctx context.Context) error {
	tops := s.tops()
	s.pool.close()
	for _, c := range tops {
		c.stop()
	}
	for _, c := range tops {
		if err := await(ctx, c.finished()); err != nil {
			return fmt.Errorf("shutdown: the %s has not stopped: %w", c.kind.name, err)
		}
	}
	s.pool.working.Wait() // for what is left to do after the end of the last
	return nil
}

// tops closes the system to new actors and returns those without parent.
func (s *System) tops() (tops []*cell) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	for _, k := range s.kinds {
		for c := k.cells; c != nil; c = c.next {
			if c.top {
				tops = append(tops, c)
			}
		}
	}
	return tops
}

func (s *System) spawner() *System { return s }

func (s *System) adopt(o offspring, name string) error {
	o.core().top = true
	return s.start(s.root, o, name)
}

// start lists the actor and starts it under parent.
func (s *System) start(parent actor.SpawnerContext, o offspring, name string) error {
	c := o.core()
	if err := s.add(c); err != nil {
		return err
	}
	if err := s.nursery.spawn(parent, o, name); err != nil {
		c.finish()
		return err
	}
	return nil
}

func (s *System) unique(name string) string {
	return name + "#" + strconv.FormatUint(s.serial.Add(1), 10)
}

// report tells the owner of a failure. It is called where a panic would end the
// process.
func (s *System) report(f supervision.Failure) {
	err := contain(func() { s.onFailure(f) })
	if err == nil {
		return
	}
	_ = contain(func() {
		s.log.Error("Options.OnFailure panicked", "reason", err.Reason, "stack", string(err.Stack))
	})
}

func (s *System) logFailure(f supervision.Failure) {
	s.log.Error("actor failed",
		"actor", f.Actor, "kind", f.Kind, "message", f.Message, "reason", f.Reason,
		"directive", f.Directive.String(), "failures", f.Failures, "delay", f.Delay,
		"stack", string(f.Stack))
}
