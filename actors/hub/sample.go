package hub

import (
	"cmp"
	"slices"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/process"
)

const (
	// lookEvery is how often the governor looks.
	lookEvery = time.Second
	// pointEvery is how many looks there are to one that is remembered, and that goes
	// through all mailboxes, connections and topics.
	pointEvery = 5
	// busiestTopics is how many are listed.
	busiestTopics = 20
)

type usage = process.Usage

// take looks at everything that it can without waiting for anybody.
func (g *governor) take(now time.Time) (*sample, *Vitals) {
	h, m := g.hub, &g.hub.governing
	passed := now.Sub(m.at)
	m.at = now
	m.window.Slide(passed)
	used, last := m.look(), m.window.Last(1)
	s := &sample{
		journal: h.journal.Mailbox().Bytes, journalLimit: h.config.Limits.JournalBytes,
		clients: h.mailboxes.Used(), clientsLimit: h.config.Limits.ClientBytes,
		heap: used.Heap, budget: m.budget, scheduling: used.Scheduling,
		recent: m.window.Last(10),
	}
	s.breaker, s.breakerNames = h.breakersAsk()
	log := (*h.history.log.Load()).Stats()
	v := &Vitals{
		At: now, Clients: h.Clients(),
		EventsIn: perSecond(last.Events, last.Over), EventsOut: perSecond(last.Delivered, last.Over),
		Stages: stages(&s.recent),
		Heap:   s.heap, HeapBudget: s.budget, Scheduling: milliseconds(s.scheduling),
		ClientBytes: s.clients, ClientBytesLimit: s.clientsLimit,
		JournalBytes: s.journal, JournalBytesLimit: s.journalLimit,
		Head: h.Head(), DurableBytes: log.DurableBytes, MemoryBytes: log.MemoryBytes,
	}
	if before := m.vitals.Load(); before != nil && m.looks%pointEvery != 0 {
		v.Lagging, v.Oldest, v.Actors, v.Topics = before.Lagging, before.Oldest, before.Actors, before.Topics
	} else {
		g.takeAll(v)
	}
	m.looks++
	return s, v
}

// takeAll is the part that costs with the number of clients and topics.
func (g *governor) takeAll(v *Vitals) {
	h := g.hub
	v.Lagging = max(h.registry.Snapshot().Count().Lagging, h.lagging())
	v.Oldest = h.history.oldest(everything)
	for _, k := range h.system.Peek() {
		v.Actors = append(v.Actors, ActorVitals{
			Kind: string(k.Kind), Active: k.Active, Waiting: k.Depth, Bytes: k.Bytes, Fullest: k.MaxDepth,
			Refused: k.Refused, Restarts: k.Restarts,
		})
	}
	v.Topics = h.topics.busiest(v.At)
}

func perSecond(n uint64, over time.Duration) float64 {
	if over <= 0 {
		return 0
	}
	return float64(n) / over.Seconds()
}

// breakersAsk is the worst level that breakers ask for, and which do.
func (h *Hub) breakersAsk() (worst nave.Level, names []string) {
	worst = nave.LevelNormal
	for _, b := range h.breakers() {
		asks := b.Level()
		switch {
		case asks == nave.LevelNormal || !asks.AtLeast(worst):
			continue
		case asks != worst:
			worst, names = asks, nil
		}
		names = append(names, b.Name())
	}
	return worst, names
}

// busiest are the topics that most has been published to since the last call. It is
// for the governor alone.
func (d *directory) busiest(now time.Time) []TopicRate {
	over := now.Sub(d.looked)
	d.looked = now
	var all []TopicRate
	d.topics.Range(func(_, of any) bool {
		t, ok := of.(*topic)
		if !ok {
			return true
		}
		n := t.published.Load()
		if n > t.looked {
			all = append(all, TopicRate{t.name, perSecond(n-t.looked, over)})
			t.looked = n
		}
		if len(all) == 8*busiestTopics {
			all = busiestOf(all)
		}
		return true
	})
	return busiestOf(all)
}

// busiestOf sorts them, and leaves the others out.
func busiestOf(all []TopicRate) []TopicRate {
	slices.SortFunc(all, func(a, b TopicRate) int {
		return cmp.Or(cmp.Compare(b.EventsPerSecond, a.EventsPerSecond), cmp.Compare(a.Topic, b.Topic))
	})
	return all[:min(len(all), busiestTopics)]
}
