package hub

import "github.com/navehub/nave/telemetry"

// gauges is what the hub looks like now, for metrics. It asks no actor.
func (h *Hub) gauges() telemetry.Gauges {
	counts := h.registry.Snapshot().Count()
	log := (*h.history.log.Load()).Stats()
	g := telemetry.Gauges{
		Clients:      counts.Clients,
		Lagging:      counts.Lagging,
		Topics:       int(h.topics.count.Load()),
		OpenBreakers: counts.OpenBreakers,
		Head:         h.history.Head(),
		DurableBytes: log.DurableBytes,
		MemoryBytes:  log.MemoryBytes,
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
