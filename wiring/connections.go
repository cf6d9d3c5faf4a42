package wiring

import (
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/config"
)

// logDescriptors are kept free: 256 for Pebble's tables, the others for its write
// ahead and for the process. Connections that take them would break the log.
const logDescriptors = 320

// limitConnections closes new connections at once when those that are open, idle
// ones and streams included, leave the log too few descriptors.
func limitConnections(cfg config.Config, h *hub.Hub, logger *slog.Logger) func(net.Conn, http.ConnState) {
	limit := int64(max(descriptors()-logDescriptors, 16))
	if limit < int64(cfg.Limits.Connections)*9/10 {
		logger.Warn("the process may open fewer files than limits.connections asks for; raise its limit (ulimit -n)",
			"limits.connections", cfg.Limits.Connections, "connections", limit)
	}
	var open atomic.Int64
	return func(conn net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			if open.Add(1)+int64(h.Clients()) > limit {
				_ = conn.Close() // net/http notices, and says StateClosed
			}
		case http.StateClosed, http.StateHijacked: // a stream counts as the hub's from here
			open.Add(-1)
		case http.StateActive, http.StateIdle:
		}
	}
}
