package hub

import (
	"context"
	"fmt"
	"strings"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/supervision"
)

// breakersActor is the parent of all breakers: the hub's own, and the application's.
type breakersActor struct{ hub *Hub }

func (h *Hub) breakersSpec() actors.Spec[struct{}] {
	return actors.Spec[struct{}]{
		Kind: supervision.Breakers,
		New:  func() actors.Actor[struct{}] { return &breakersActor{h} },
	}
}

func (x *breakersActor) Receive(*actors.Context[struct{}], struct{}) {}

func (x *breakersActor) Started(c *actors.Context[struct{}]) {
	for _, b := range x.hub.breakers() {
		if err := b.Spawn(c, breaker.Deps{Registry: x.hub.registry, Telemetry: x.hub.telemetry}); err != nil {
			panic(err)
		}
	}
}

func (h *Hub) breakers() []*breaker.Breaker {
	return append([]*breaker.Breaker{h.guard.Breaker}, h.config.Breakers...)
}

// Breaker finds a breaker by its name: one of Config.Breakers, or "log", which is
// the hub's own. It is nil if there is none.
func (h *Hub) Breaker(name string) *breaker.Breaker {
	for _, b := range h.breakers() {
		if b.Name() == name {
			return b
		}
	}
	return nil
}

// ResetBreaker closes a breaker for an operator. That of the log follows the log,
// which is tried again at once.
func (h *Hub) ResetBreaker(ctx context.Context, name, by string) error {
	b := h.Breaker(name)
	switch {
	case b == nil:
		return nave.Errorf(nave.CodeNotFound, "there is no breaker %.40q", name)
	case name == logBreaker:
		_ = h.journal.Tell(reopen{}) // full: such tries wait already
		return nil
	}
	return unknownIfEnded(b.Reset(ctx, by))
}

func (c *Config) checkBreakers() error {
	names := map[string]bool{logBreaker: true}
	for _, b := range c.Breakers {
		name := b.Name()
		if _, err := nave.ParseTopic(name); err != nil || strings.Contains(name, "/") {
			return fmt.Errorf("breaker %q: its name must do as a segment of a topic", name)
		}
		if names[name] {
			return fmt.Errorf("breaker %q: there are two of that name", name)
		}
		names[name] = true
	}
	return nil
}
