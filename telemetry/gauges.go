package telemetry

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/navehub/nave"
)

// Gauges are the hub's figures at one moment.
type Gauges struct {
	// Clients are the open connections; Lagging are those of them that are behind.
	Clients, Lagging int
	// Topics are those that have an actor.
	Topics int
	// Members are those who are present, each on one topic.
	Members int
	// OpenBreakers are those that are not closed.
	OpenBreakers int
	// Head is the latest offset, Oldest that from which on every topic can be resumed,
	// and Age is the oldest durable event's.
	Head, Oldest uint64
	Age          time.Duration
	// DurableBytes and MemoryBytes are what the log holds on disk and in memory.
	DurableBytes, MemoryBytes int64
	// Level is the service level.
	Level nave.Level
	// Ready is whether the hub can do all that it promises.
	Ready bool
	// Heap is what is in use, in bytes, and HeapBudget what may be; 0 without bound.
	Heap, HeapBudget int64
	// Scheduling is what goroutines wait for a processor, at the 99th percentile.
	Scheduling time.Duration
	// Files are open, of as many as FileLimit.
	Files, FileLimit int
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
	levels  *table

	clients, lagging, topics, members, breakers, logBytes, active, waiting, mailboxBytes metric.Int64ObservableUpDownCounter

	head, fullest     metric.Int64ObservableGauge
	oldest            metric.Int64ObservableGauge
	level, held       metric.Int64ObservableGauge
	ready             metric.Int64ObservableGauge
	heap, budget      metric.Int64ObservableGauge
	files, fileLimit  metric.Int64ObservableGauge
	age, scheduling   metric.Float64ObservableGauge
	refused, restarts metric.Int64ObservableCounter
}

func newGaugeInstruments(t *Telemetry) (*gaugeInstruments, error) {
	m := maker{meter: t.meter}
	g := &gaugeInstruments{
		kinds:   t.kinds,
		byKind:  t.tables.kind,
		durable: t.tables.durability.of(nave.Durable.String()),
		memory:  t.tables.durability.of(nave.Memory.String()),
		levels:  &t.tables.level,

		clients:      m.observableLevel(connectionActive),
		lagging:      m.observableLevel(connectionLagging),
		topics:       m.observableLevel(topicActive),
		members:      m.observableLevel(presenceMembers),
		breakers:     m.observableLevel(breakerOpen),
		logBytes:     m.observableLevel(logSize),
		active:       m.observableLevel(actorActive),
		waiting:      m.observableLevel(mailboxMessages),
		mailboxBytes: m.observableLevel(mailboxSize),

		head:    m.observableGauge(logOffset),
		fullest: m.observableGauge(mailboxDepthMax),

		oldest:     m.observableGauge(logOldest),
		age:        m.observableSeconds(logAge),
		level:      m.observableGauge(levelNumber),
		held:       m.observableGauge(levelHeld),
		ready:      m.observableGauge(ready),
		heap:       m.observableGauge(heapSize),
		budget:     m.observableGauge(heapBudget),
		files:      m.observableGauge(filesOpen),
		fileLimit:  m.observableGauge(filesLimit),
		scheduling: m.observableSeconds(schedulingLatency),

		refused:  m.observableCounter(mailboxRefused),
		restarts: m.observableCounter(actorRestarts),
	}
	return g, m.err
}

func (g *gaugeInstruments) all() []metric.Observable {
	return []metric.Observable{
		g.clients, g.lagging, g.topics, g.members, g.breakers, g.logBytes, g.active, g.waiting, g.mailboxBytes,
		g.head, g.fullest, g.refused, g.restarts, g.oldest, g.age, g.level, g.held, g.ready,
		g.heap, g.budget, g.files, g.fileLimit, g.scheduling,
	}
}

func (g *gaugeInstruments) observe(o metric.Observer, now Gauges) {
	o.ObserveInt64(g.clients, int64(now.Clients))
	o.ObserveInt64(g.lagging, int64(now.Lagging))
	o.ObserveInt64(g.topics, int64(now.Topics))
	o.ObserveInt64(g.members, int64(now.Members))
	o.ObserveInt64(g.breakers, int64(now.OpenBreakers))
	o.ObserveInt64(g.head, int64(now.Head))
	o.ObserveInt64(g.logBytes, now.DurableBytes, g.durable.observe...)
	o.ObserveInt64(g.logBytes, now.MemoryBytes, g.memory.observe...)
	g.observeHealth(o, now)
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

func (g *gaugeInstruments) observeHealth(o metric.Observer, now Gauges) {
	o.ObserveInt64(g.oldest, int64(now.Oldest))
	o.ObserveFloat64(g.age, now.Age.Seconds())
	o.ObserveInt64(g.level, int64(max(now.Level.Number(), 0)))
	for _, l := range nave.Levels {
		o.ObserveInt64(g.held, oneIf(l == now.Level), g.levels.of(string(l)).observe...)
	}
	o.ObserveInt64(g.ready, oneIf(now.Ready))
	o.ObserveInt64(g.heap, now.Heap)
	o.ObserveInt64(g.budget, now.HeapBudget)
	o.ObserveFloat64(g.scheduling, now.Scheduling.Seconds())
	o.ObserveInt64(g.files, int64(now.Files))
	o.ObserveInt64(g.fileLimit, int64(now.FileLimit))
}

func oneIf(so bool) int64 {
	if so {
		return 1
	}
	return 0
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
