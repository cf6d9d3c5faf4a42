package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/supervision"
)

// A breakersMessage is anything the parent of the breakers accepts.
//
//sumtype:decl
type breakersMessage interface{ breakersMessage() }

// topicFailed says that a publish has failed because of its topic's actor.
type topicFailed struct {
	topic *topic
	err   error
}

// tidy is the time to let go of the breakers of topics that are well again.
type tidy struct{}

func (topicFailed) breakersMessage() {}
func (tidy) breakersMessage()        {}

// breakersActor is the parent of all breakers: the hub's own, the application's, and
// those of topics that fail.
type breakersActor struct{ hub *Hub }

func (h *Hub) breakersSpec() actors.Spec[breakersMessage] {
	return actors.Spec[breakersMessage]{
		Kind: supervision.Breakers,
		New:  func() actors.Actor[breakersMessage] { return &breakersActor{h} },
	}
}

func (x *breakersActor) Started(c *actors.Context[breakersMessage]) {
	for _, b := range x.hub.breakers() {
		if err := b.Spawn(c, x.deps()); err != nil {
			panic(err)
		}
	}
	c.After(tidyEvery, tidy{})
}

func (x *breakersActor) deps() breaker.Deps {
	return breaker.Deps{Registry: x.hub.registry, Telemetry: x.hub.telemetry}
}

func (x *breakersActor) Receive(c *actors.Context[breakersMessage], m breakersMessage) {
	switch m := m.(type) {
	case topicFailed:
		x.guard(c, m)
	case tidy:
		c.After(tidyEvery, tidy{})
		x.tidy(time.Now())
	}
}

// breakers are those that last as long as the hub.
func (h *Hub) breakers() []*breaker.Breaker {
	return append([]*breaker.Breaker{h.guard.Breaker, h.delivery}, h.config.Breakers...)
}

// Breaker finds a breaker by its name: one of Config.Breakers, one of the hub's own,
// which are "log" and "delivery", or that of a topic that fails. It is nil if there is
// none.
func (h *Hub) Breaker(name string) *breaker.Breaker {
	for _, b := range h.breakers() {
		if b.Name() == name {
			return b
		}
	}
	return h.failing.named(name)
}

// ResetBreaker closes a breaker for an operator. One that follows what it guards, as
// that of the log does, has that tried at once instead.
func (h *Hub) ResetBreaker(ctx context.Context, name, by string) error {
	b := h.Breaker(name)
	if b == nil {
		return nave.Errorf(nave.CodeNotFound, "there is no breaker %.40q", name)
	}
	err := b.Reset(ctx, by)
	if errors.Is(err, actors.ErrStopped) {
		return nave.Errorf(nave.CodeUnavailable, "the breaker %s has failed too often, and lets every call through until the hub is restarted", name)
	}
	return unknownIfEnded(err)
}

func (c *Config) checkBreakers() error {
	names := map[string]bool{logBreaker: true, deliveryBreaker: true}
	for _, b := range c.Breakers {
		name := b.Name()
		if _, err := nave.ParseTopic(name); err != nil || strings.Contains(name, "/") {
			return fmt.Errorf("breaker %q: its name must do as a segment of a topic", name)
		}
		if strings.HasPrefix(name, topicBreaker) {
			return fmt.Errorf("breaker %q: names that begin with %s are for those of topics", name, topicBreaker)
		}
		if names[name] {
			return fmt.Errorf("breaker %q: there are two of that name", name)
		}
		names[name] = true
	}
	return nil
}
