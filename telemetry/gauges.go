package telemetry

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/metric"

	"github.com/navehub/nave"
)

// Gauges are the hub's figures at one moment.
type Gauges struct {
	// Clients are the open connections; Lagging are those of them that are behind.
	Clients, Lagging int
	// Topics are those that have an actor.
	Topics int
	// OpenBreakers are those that are not closed.
	OpenBreakers int
	// Head is the latest offset.
	Head uint64
	// DurableBytes and MemoryBytes are what the log holds on disk and in memory.
	DurableBytes, MemoryBytes int64
	// Actors has the figures of each kind of actor.
	Actors []ActorGauges
}

// ActorGauges are the figures of all actors of one kind.
type ActorGauges struct {
	Kind   string
	Active int
	// Waiting and MailboxBytes are what waits in all their mailboxes.
	Waiting      int
	MailboxBytes int64
	// Fullest is how many messages wait in the fullest mailbox.
	Fullest int
	// Refused and Restarts count from the start of the process.
	Refused, Restarts uint64
}

// Observe reads the gauges whenever metrics are collected, until stop. read must
// be quick and safe to call from any goroutine.
func (t *Telemetry) Observe(read func() Gauges) (stop func(), err error) {
	g, err := newGaugeInstruments(t)
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	reg, err := t.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		t.passOn()
		g.observe(o, read())
		return nil
	}, g.all()...)
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	return func() {
		t.passOn()
		_ = reg.Unregister() // it fails only if done before
	}, nil
}

type gaugeInstruments struct {
	kinds   choice
	byKind  table
	durable *labels
	memory  *labels

	clients, lagging, topics, breakers, logBytes, active, waiting, mailboxBytes metric.Int64ObservableUpDownCounter

	head, fullest     metric.Int64ObservableGauge
	refused, restarts metric.Int64ObservableCounter
}

func newGaugeInstruments(t *Telemetry) (*gaugeInstruments, error) {
	m := maker{meter: t.meter}
	g := &gaugeInstruments{
		kinds:   t.kinds,
		byKind:  t.tables.kind,
		durable: t.tables.durability.of(nave.Durable.String()),
		memory:  t.tables.durability.of(nave.Memory.String()),

		clients:      m.observableLevel(connectionActive),
		lagging:      m.observableLevel(connectionLagging),
		topics:       m.observableLevel(topicActive),
		breakers:     m.observableLevel(breakerOpen),
		logBytes:     m.observableLevel(logSize),
		active:       m.observableLevel(actorActive),
		waiting:      m.observableLevel(mailboxMessages),
		mailboxBytes: m.observableLevel(mailboxSize),

		head:     m.observableGauge(logOffset),
		fullest:  m.observableGauge(mailboxDepthMax),
		refused:  m.observableCounter(mailboxRefused),
		restarts: m.observableCounter(actorRestarts),
	}
	return g, m.err
}

func (g *gaugeInstruments) all() []metric.Observable {
	return []metric.Observable{
		g.clients, g.lagging, g.topics, g.breakers, g.logBytes, g.active, g.waiting, g.mailboxBytes,
		g.head, g.fullest, g.refused, g.restarts,
	}
}

func (g *gaugeInstruments) observe(o metric.Observer, now Gauges) {
	o.ObserveInt64(g.clients, int64(now.Clients))
	o.ObserveInt64(g.lagging, int64(now.Lagging))
	o.ObserveInt64(g.topics, int64(now.Topics))
	o.ObserveInt64(g.breakers, int64(now.OpenBreakers))
	o.ObserveInt64(g.head, int64(now.Head))
	o.ObserveInt64(g.logBytes, now.DurableBytes, g.durable.observe...)
	o.ObserveInt64(g.logBytes, now.MemoryBytes, g.memory.observe...)
	for _, a := range g.merge(now.Actors) {
		l := g.byKind.of(a.Kind).observe
		o.ObserveInt64(g.active, int64(a.Active), l...)
		o.ObserveInt64(g.waiting, int64(a.Waiting), l...)
		o.ObserveInt64(g.mailboxBytes, a.MailboxBytes, l...)
		o.ObserveInt64(g.fullest, int64(a.Fullest), l...)
		o.ObserveInt64(g.refused, int64(a.Refused), l...)
		o.ObserveInt64(g.restarts, int64(a.Restarts), l...)
	}
}

// merge makes one of all that share a label, such as two kinds that are not in
// the list: of two observations with one label, a gauge would lose the first.
func (g *gaugeInstruments) merge(actors []ActorGauges) []ActorGauges {
	var merged []ActorGauges
	place := make(map[int]int, len(actors))
	for _, a := range actors {
		kind := g.kinds.index(a.Kind)
		at, seen := place[kind]
		if !seen {
			place[kind] = len(merged)
			merged = append(merged, a)
			continue
		}
		merged[at].add(a)
	}
	return merged
}

func (a *ActorGauges) add(b ActorGauges) {
	a.Active += b.Active
	a.Waiting += b.Waiting
	a.MailboxBytes += b.MailboxBytes
	a.Fullest = max(a.Fullest, b.Fullest)
	a.Refused += b.Refused
	a.Restarts += b.Restarts
}
