package hub

import (
	"errors"
	"time"

	"github.com/navehub/nave/process"
	"github.com/navehub/nave/telemetry"
)

// gauges is what the hub looks like now, for metrics. It asks no actor.
func (h *Hub) gauges() telemetry.Gauges {
	counts := h.registry.Snapshot().Count()
	log := (*h.history.log.Load()).Stats()
	g := telemetry.Gauges{
		Clients:      counts.Clients,
		Lagging:      max(counts.Lagging, h.lagging()),
		Topics:       int(h.topics.count.Load()),
		Members:      int(h.present.members.Load()),
		OpenBreakers: counts.OpenBreakers,
		Head:         h.history.Head(),
		DurableBytes: log.DurableBytes,
		MemoryBytes:  log.MemoryBytes,
		Level:        h.Level(),
		Ready:        errors.Join(h.Ready(), h.config.Authority.Ready()) == nil,
		HeapBudget:   h.governing.budget,
		Files:        process.Files(),
		FileLimit:    process.FileLimit(),
	}
	if v := h.Vitals(); v != nil {
		g.Oldest, g.Heap = v.Oldest, v.Heap
		g.Scheduling = time.Duration(v.Scheduling * float64(time.Millisecond))
	}
	if !log.OldestDurable.IsZero() {
		g.Age = max(h.logTime().Sub(log.OldestDurable), 0)
	}
	for _, k := range h.system.Stats() {
		g.Actors = append(g.Actors, telemetry.ActorGauges{
			Kind:         string(k.Kind),
			Active:       k.Active,
			Waiting:      k.Depth,
			MailboxBytes: k.Bytes,
			Fullest:      k.MaxDepth,
			Refused:      k.Refused,
			Restarts:     k.Restarts,
		})
	}
	return g
}
