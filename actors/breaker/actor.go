package breaker

import (
	"cmp"
	"time"

	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/registry"
	"github.com/navehub/nave/supervision"
	"github.com/navehub/nave/telemetry"
)

// A message is anything a breaker's actor accepts.
//
//sumtype:decl
type message interface{ breakerMessage() }

// look says that there is something to look at.
type look struct{}

// tick is the time to look again.
type tick struct{}

// sample is the time to look at what the breaker guards.
type sample struct{}

// reset closes the breaker.
type reset struct {
	actors.Reply[struct{}]
	by string
}

func (look) breakerMessage()   {}
func (tick) breakerMessage()   {}
func (sample) breakerMessage() {}
func (reset) breakerMessage()  {}

// Deps are what a breaker's actor tells others by.
type Deps struct {
	Registry  *registry.Registry
	Telemetry *telemetry.Telemetry
}

// Spawn starts the breaker's actor, once.
func (b *Breaker) Spawn(p actors.Parent, d Deps) error {
	ref, err := actors.Spawn(p, b.config.Name, actors.Spec[message]{
		Kind:    supervision.Breaker,
		Mailbox: actors.Limits{Count: 64},
		New:     func() actors.Actor[message] { return &decider{Breaker: b, deps: d, cancel: func() {}} },
	})
	if err != nil {
		return err
	}
	b.ref.Store(&ref)
	b.poke() // for what was before
	return nil
}

// A decider owns the machine of a breaker.
type decider struct {
	*Breaker
	deps    Deps
	machine machine
	cancel  func() // the tick that is due
	shown   tally  // in the registry
}

func (d *decider) Started(c *actors.Context[message]) {
	now := time.Now()
	d.machine = newMachine(d.config, d.random, now)
	if n := len(d.history); n > 0 && d.history[n-1].State != Closed {
		d.machine.why = "its actor failed, and has started again"
		d.tell(c)
	}
	before := d.view.Load()
	d.publish()
	d.machine.count(now, before.counts.take()) // while there was no actor
	d.poked.Store(false)
	d.look(c, now)
	d.show(now)
	if d.config.Sample != nil {
		c.After(sampleEvery, sample{})
	}
}

// Stopped leaves nobody out because of an actor that is not there, and shows that. A
// hold it leaves to the owner.
func (d *decider) Stopped() {
	now := time.Now()
	d.view.Store(&view{state: Closed, since: now})
	d.awake.Store(true) // nobody needs to be woken
	if d.held.Load() == nil {
		d.machine.close(now, "its actor has ended, and lets every call through")
		d.show(now)
	}
}

func (d *decider) Receive(c *actors.Context[message], m message) {
	now := time.Now()
	switch m := m.(type) {
	case look:
		d.poked.Store(false) // before it looks: what comes while it does is told anew
		d.look(c, now)
	case tick:
		d.look(c, now)
		d.refresh(now)
	case sample:
		c.After(sampleEvery, sample{})
		d.sample(c, now)
	case reset:
		if d.machine.reset(now, "it was reset by "+cmp.Or(m.by, "an operator")) {
			d.tell(c)
		}
		d.publish() // also a closed one forgets what it has counted
		d.show(now)
		d.look(c, now)
		m.Send(struct{}{})
	}
}

// look collects what was counted, and does what follows from it.
func (d *decider) look(c *actors.Context[message], now time.Time) {
	v := d.view.Load()
	if v.state == HalfOpen && v.probes.Load() < int64(d.config.Probes) {
		d.machine.probe(now)
	}
	d.machine.count(now, v.counts.take())
	held := d.machine.held
	changed := d.machine.hold(now, d.held.Load())
	changed = d.machine.step(now) || changed
	if changed {
		d.tell(c)
		d.publish()
	}
	if changed || d.machine.held != held { // it may be held for longer than was said
		d.show(now)
	}
	d.wait(c, now)
}

// sampleEvery is how often a breaker looks by itself.
const sampleEvery = time.Second

// sample looks at what the breaker guards. While it is open nobody has to know.
func (d *decider) sample(c *actors.Context[message], now time.Time) {
	if d.machine.state == Open {
		return
	}
	t := tally{calls: 1}
	if err := d.config.Sample(); err != nil {
		t.failed = 1
		d.machine.wrong = err
	}
	d.machine.count(now, t)
	d.look(c, now)
	d.refresh(now)
}

// refresh writes the row if its figures have changed. How often a breaker has looked
// by itself interests nobody.
func (d *decider) refresh(now time.Time) {
	f := d.machine.figures(now)
	if f == d.shown || d.config.Sample != nil && f.failed == d.shown.failed {
		return
	}
	d.show(now)
}

// wait has a tick sent when the machine wants one. Without one, whoever counts says
// so; what was counted before that was known is looked at by a tick after all.
func (d *decider) wait(c *actors.Context[message], now time.Time) {
	d.cancel()
	in, due := d.machine.next(now)
	d.awake.Store(due)
	if v := d.view.Load(); !due && v.state == Closed && v.counts[good].Load() > 0 {
		d.awake.Store(true)
		in, due = 0, true
	}
	d.cancel = func() {}
	if due {
		d.cancel = c.After(in, tick{})
	}
}

// publish shows callers the state. What a hold refuses its own word does, so that a
// release is felt at once.
func (d *decider) publish() {
	m := &d.machine
	v := &view{state: m.state, since: m.since, until: m.until, retry: d.config.Open}
	v.detail = describe(d.config.Name, m.state, m.why, m.until)
	if m.held != nil {
		v.state = Closed
	}
	if m.state == HalfOpen {
		v.probes.Store(int64(d.config.Probes))
	}
	d.view.Store(v)
}

// changes is how many are remembered.
const changes = 10

// tell tells people of a change.
func (d *decider) tell(c *actors.Context[message]) {
	m := &d.machine
	if n := len(d.history); n >= changes {
		d.history = d.history[n-changes+1:]
	}
	d.history = append(d.history, registry.BreakerChange{At: m.since, State: m.state, Why: m.why})
	c.Logger().Warn("a breaker changes", "breaker", d.config.Name, "to", m.state, "why", m.why, "until", m.until)
	d.deps.Telemetry.BreakerChanged(string(m.state))
}

// show writes the row.
func (d *decider) show(now time.Time) {
	m := &d.machine
	d.shown = m.figures(now)
	d.deps.Registry.PutBreaker(registry.Breaker{
		Name: d.config.Name, State: m.state, Since: m.since, Until: m.until, Why: m.why, Level: d.config.Level,
		Calls: d.shown.calls, Failures: d.shown.failed, Slow: d.shown.slow,
		History: d.history,
	})
	if d.gone.Load() {
		d.deps.Registry.RemoveBreaker(d.config.Name)
	}
}
