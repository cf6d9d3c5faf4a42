package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/supervision"
)

// A Service is the level that the hub holds, and why.
type Service struct {
	Level nave.Level `json:"level"`
	// Since is when it changed last.
	Since time.Time `json:"since"`
	// Pin is the operator's; nil if there is none.
	Pin *Pin `json:"pin,omitempty"`
}

// A Pin is a level that an operator has chosen, whatever else speaks for another.
type Pin struct {
	Level nave.Level `json:"level"`
	// By and Reason are for people.
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// control is where what operators decide is kept: as state, since that outlives
// retention.
const control nave.Topic = "$hub/control"

const (
	pinKey       = "level" // in control
	maxPinReason = 512     // bytes
)

// A governorMessage is anything the governor accepts.
//
//sumtype:decl
type governorMessage interface{ governorMessage() }

// setPin pins a level, or lifts the pin if it is nil.
type setPin struct {
	actors.Reply[struct{}]
	pin *Pin
}

func (setPin) governorMessage() {}

// ControlMessage marks what operators decide.
func (setPin) ControlMessage() {}

// governor holds the level: it alone changes it. What it holds outlives a restart of
// the actor, in Hub.service.
type governor struct{ hub *Hub }

func (h *Hub) governorSpec() actors.Spec[governorMessage] {
	return actors.Spec[governorMessage]{
		Kind: supervision.Governor,
		New:  func() actors.Actor[governorMessage] { return &governor{h} },
	}
}

func (g *governor) Receive(c *actors.Context[governorMessage], m governorMessage) {
	switch m := m.(type) {
	case setPin:
		g.hold(c, m.pin)
		m.Send(struct{}{})
	}
}

// hold changes to the level that follows from a pin, and says so to everybody.
func (g *governor) hold(c *actors.Context[governorMessage], pin *Pin) {
	before := *g.hub.service.Load()
	now := g.hub.serviceOf(pin, before)
	g.hub.service.Store(&now)
	if now.Level == before.Level {
		return
	}
	reason := ""
	if pin != nil {
		reason = pin.Reason
	}
	c.Logger().Warn("the level changes", "from", before.Level, "to", now.Level, "reason", reason)
	_ = g.hub.clientSpawner.Tell(levelChanged{now.Level, reason}) // stopped: nobody is left to be told
}

// serviceOf is what follows from a pin, and from the configuration.
func (h *Hub) serviceOf(pin *Pin, before Service) Service {
	s := Service{Level: nave.LevelNormal, Since: before.Since, Pin: pin}
	if pin != nil {
		s.Level = pin.Level
	}
	s.Level = s.Level.Worse(h.config.Level)
	if s.Level != before.Level {
		s.Since = time.Now()
	}
	return s
}

// startService holds the level that an operator has left, and the configuration's.
func (h *Hub) startService(ctx context.Context) error {
	state, err := h.history.State(ctx, nave.Filters{nave.Filter(control)})
	if err != nil {
		return fmt.Errorf("load the level: %w", err)
	}
	defer state.Close()
	var pin *Pin
	for e, err := range state.Events() {
		if err == nil && e.Key == pinKey {
			err = json.Unmarshal(e.Data, &pin)
		}
		if err != nil {
			return fmt.Errorf("load the level: %w", err)
		}
	}
	s := h.serviceOf(pin, Service{})
	h.service.Store(&s)
	return nil
}

// Service is the level that the hub holds, and why.
func (h *Hub) Service() Service { return *h.service.Load() }

// Level is the service level that the hub holds.
func (h *Hub) Level() nave.Level { return h.service.Load().Level }

// Pin holds a level until another is pinned or it is lifted, also over restarts; nil
// lifts it. If it cannot be kept it holds all the same, and the error says so.
func (h *Hub) Pin(ctx context.Context, pin *Pin) error {
	if h.governor.IsZero() {
		return h.closed()
	}
	if pin != nil && len(pin.Reason) > maxPinReason {
		return nave.Errorf(nave.CodeTooLarge, "reason is %d bytes long; at most %d are allowed, since every client is told", len(pin.Reason), maxPinReason)
	}
	if err := h.takeTurn(ctx); err != nil {
		return err
	}
	defer h.endTurn()
	_, err := actors.Ask(ctx, h.governor, func(r actors.Reply[struct{}]) governorMessage { return setPin{r, pin} })
	if err != nil {
		return unknownIfEnded(err)
	}
	var data []byte
	if pin != nil {
		if data, err = json.Marshal(pin); err != nil {
			return err
		}
	}
	if err := h.keep(ctx, control, pinKey, data); err != nil {
		return nave.Errorf(nave.CodeOf(err), "the level holds, but would not outlive a restart: %w", err).After(time.Second)
	}
	return nil
}

// given refuses what the level has given up.
func (h *Hub) given(f nave.Feature) error {
	s := h.service.Load()
	if s.Level.Has(f) {
		return nil
	}
	return &nave.DegradedError{Level: s.Level, Feature: f}
}
