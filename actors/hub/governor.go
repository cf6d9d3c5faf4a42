package hub

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/process"
	"github.com/navehub/nave/supervision"
)

// A Service is the level that the hub holds, and why.
type Service struct {
	Level nave.Level `json:"level"`
	// Since is when it changed last, and Reason why: for people.
	Since  time.Time `json:"since"`
	Reason string    `json:"reason,omitempty"`
	// Pin is the operator's; nil if there is none.
	Pin *Pin `json:"pin,omitempty"`
	// Signals are what speaks for a level that is not normal, as of the last second.
	Signals []Signal `json:"signals,omitempty"`
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

// look is the time to look how the hub fares.
type look struct{}

func (look) governorMessage() {}

// governor holds the level: it alone changes it. What it knows outlives a restart of
// the actor, in Hub.governing and Hub.service. It waits for nobody.
type governor struct{ hub *Hub }

func (h *Hub) governorSpec() actors.Spec[governorMessage] {
	return actors.Spec[governorMessage]{
		Kind: supervision.Governor,
		New:  func() actors.Actor[governorMessage] { return &governor{h} },
	}
}

// Started begins to look.
func (g *governor) Started(c *actors.Context[governorMessage]) { c.After(lookEvery, look{}) }

func (g *governor) Receive(c *actors.Context[governorMessage], m governorMessage) {
	switch m := m.(type) {
	case setPin:
		g.pin(c, m.pin)
		m.Send(struct{}{})
	case look:
		c.After(lookEvery, look{})
		g.look(c)
	}
}

// pin follows an operator.
func (g *governor) pin(c *actors.Context[governorMessage], pin *Pin) {
	before := g.hub.service.Load()
	m, reason := &g.hub.governing.machine, "the pin is lifted"
	if pin != nil {
		reason = cmp.Or(pin.Reason, "an operator holds it")
		m.pin(pin.Level, time.Now())
	} else {
		m.lift(time.Now())
	}
	g.hold(c, pin, before.Signals, reason)
}

// look looks how the hub fares, and changes the level if it is time to.
func (g *governor) look(c *actors.Context[governorMessage]) {
	now := time.Now()
	sample, vitals := g.take(now)
	memory := &g.hub.governing
	readings := make([]reading, len(memory.signals))
	var speaking []Signal
	for i := range memory.signals {
		r, said := memory.signals[i].look(sample)
		if said != nil {
			speaking = append(speaking, *said)
		}
		if g.hub.config.Levels.Manual {
			r = reading{asks: nave.LevelNormal, holds: nave.LevelNormal}
		}
		readings[i] = r
	}
	reason := ""
	if memory.machine.step(now, readings) {
		reason = memory.machine.reason(speaking)
	}
	g.hold(c, g.hub.service.Load().Pin, speaking, reason)
	g.tell()
	vitals.Service = g.hub.Service()
	memory.vitals.Store(vitals)
	g.hub.publishHealth(vitals)
	if memory.looks%pointEvery == 1 {
		memory.past.add(vitals.point())
	}
}

// reason is what clients hear of a change. Figures are not for everybody.
func (m *machine) reason(speaking []Signal) string {
	if m.rose {
		return "it is calm again"
	}
	var names []string
	for _, s := range speaking {
		if s.Level.AtLeast(m.level) {
			names = append(names, s.Name)
		}
	}
	return strings.Join(names, ", ")
}

// hold shows the machine's level, and says so to everybody if it is another.
func (g *governor) hold(c *actors.Context[governorMessage], pin *Pin, speaking []Signal, reason string) {
	m, before := &g.hub.governing.machine, g.hub.service.Load()
	now := &Service{Level: m.level, Since: m.since, Reason: before.Reason, Pin: pin, Signals: speaking}
	explained := pin != nil && pin != before.Pin && reason != before.Reason // anew
	if m.level != before.Level || explained {
		now.Reason = reason
	}
	g.hub.service.Store(now)
	g.hub.health.set(healthLevel, g.unready(pin, speaking))
	if m.level == before.Level {
		if explained {
			g.hub.governing.untold = &levelChanged{m.level, reason, m.atLeast()}
			g.tell()
		}
		return
	}
	c.Logger().Warn("the level changes", "from", before.Level, "to", m.level, "reason", reason, "signals", speaking)
	g.hub.telemetry.LevelChanged(m.level)
	g.hub.governing.untold = &levelChanged{m.level, reason, m.atLeast()}
	g.tell()
}

// tell tells the clients of the latest change, if they have not been told.
func (g *governor) tell() {
	m := &g.hub.governing
	if m.untold != nil && !isFull(g.hub.clientSpawner.Tell(*m.untold)) { // stopped: nobody is left to be told
		m.untold = nil
	}
}

// unready is why the level makes the hub unready: it has given up all reading, and
// nobody has told it to. At any other level it is of use to those who come: to send
// them elsewhere would cost them the polls that go on.
func (g *governor) unready(pin *Pin, speaking []Signal) error {
	m := &g.hub.governing.machine
	if m.level.Has(nave.Pages) || pin != nil || m.level == m.floor {
		return nil
	}
	details := make([]string, len(speaking))
	for i, s := range speaking {
		details[i] = s.Detail
	}
	return fmt.Errorf("nothing can be read at the level %s: %s", m.level, cmp.Or(strings.Join(details, "; "), "until it has been calm for a while"))
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
	h.startGoverning(pin)
	return nil
}

// startGoverning prepares what the governor goes on from.
func (h *Hub) startGoverning(pin *Pin) {
	now, m := time.Now(), &h.governing
	m.machine = newMachine(h.config.Levels, h.config.Level, now)
	if pin != nil {
		m.machine.pin(pin.Level, now)
	}
	m.signals = signals(h.config.Levels)
	m.budget = cmp.Or(h.config.Levels.Memory, process.HeapBudget())
	if m.look == nil { // which tests set
		m.look = process.NewMeter().Look
	}
	m.window, m.at = h.telemetry.Window(), now
	h.topics.looked = now
	s := &Service{Level: m.machine.level, Since: now, Pin: pin}
	if pin != nil {
		s.Reason = pin.Reason
	}
	h.service.Store(s)
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
	if pin != nil {
		if _, err := nave.ParseLevel(string(pin.Level)); err != nil {
			return err
		}
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
