package wiring

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/config"
	"github.com/navehub/nave/httpapi"
)

// http2Limits bound what one connection may ask for. Against streams that are reset
// as fast as they are opened, and against headers without end, net/http bounds
// itself.
func http2Limits(cfg config.Config) *http.HTTP2Config {
	return &http.HTTP2Config{
		// RFC 9113 advises against less. Streams and long-polls of all connections
		// together are bounded by the hub.
		MaxConcurrentStreams: 100,
		// What a body may send before anybody reads it. At net/http's 1 MiB for each
		// of them, connections alone could take gigabytes. This is enough for
		// 1 MB/s from the other side of the world.
		MaxReceiveBufferPerConnection: 128 << 10,
		MaxReceiveBufferPerStream:     64 << 10,
		MaxReadFrameSize:              16 << 10, // the least that there is; it is a buffer for each connection
		// A stream's deadlines do not see a peer that takes nothing at all.
		WriteByteTimeout: time.Duration(cfg.Client.WriteTimeout),
	}
}

// crowd bounds how many requests are under way over HTTP/2, where a connection may
// bring a hundred: to twice as many as there may be connections, so that streams,
// which the hub has no more of than that, leave as much for all others.
func crowd(next http.Handler, connections int64) http.Handler {
	limit := 2 * connections
	full := nave.Errorf(nave.CodeOverloaded, "the hub has %d requests under way, as many as it may", limit).After(5 * time.Second)
	var underWay atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor < 2 {
			next.ServeHTTP(w, r)
			return
		}
		defer underWay.Add(-1)
		if underWay.Add(1) > limit {
			httpapi.Refuse(w, full)
			return
		}
		next.ServeHTTP(w, r)
	})
}
