// Package httpapi is the hub's HTTP surface.
//
//	POST /v1/events    publish               publish.go, stream.go
//	GET  /v1/events    subscribe, or poll    subscribe.go, page.go
//	GET  /v1/state     the state of keys     state.go
//	GET  /livez        is the process alive  probes.go
//	GET  /readyz       can the hub do all it promises
//	GET  /             where everything is
//
// Every refusal is a problem document (RFC 9457) with a stable code; see
// problem.go for all of them.
//
// The handler can be mounted anywhere in an application's own mux:
//
//	mux.Handle("/live/", http.StripPrefix("/live", httpapi.New(config)))
//
// It bounds bodies and the time they take. Bounding headers is the server's part:
// set http.Server.MaxHeaderBytes and ReadHeaderTimeout. The server's ReadTimeout
// and WriteTimeout should be left at zero: the handler sets deadlines of its own,
// and streams have none.
package httpapi

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/telemetry"
)

// A Hub is what the surface is for; *hub.Hub is one.
type Hub interface {
	Submit(ctx context.Context, events ...nave.Event) (*hub.Pending, error)
	// Connect hands over a stream and with it, unless there is an error, its
	// transport.
	Connect(ctx context.Context, req client.Request) error
	Poll(ctx context.Context, filters nave.Filters, cursor string, wait time.Duration) (hub.Page, error)
	State(ctx context.Context, filters nave.Filters) (eventlog.Snapshot, error)
	Epoch() nave.Epoch
	Level() nave.Level
	Limits() hub.Limits
	Ready() error
	// Accepting ends when the hub begins to shut down.
	Accepting() context.Context
}

// Config configures the surface. Everything but Hub may be left zero.
type Config struct {
	Hub Hub
	// Origins are the web origins, such as "https://example.com", whose pages may
	// use the hub from a browser; "http://localhost:*" is one with any port, "*" is
	// every origin. Pages of the hub's own
	// origin always may.
	//
	// Defaults to none.
	Origins []string
	// Proxies are believed when they say where a request comes from.
	//
	// Defaults to none.
	Proxies Proxies
	// MaxBody is how large a body, or a line of NDJSON, may be.
	//
	// Defaults to 1 MiB.
	MaxBody int64
	// MaxBodies is how much all bodies may take together that are larger than a few
	// kilobytes, from their arrival until they are published. When it is used up,
	// the one that has been arriving for longest gives way.
	//
	// Defaults to 32 MiB, and is never less than twice MaxBody.
	MaxBodies int64
	// MaxWait is the longest that a long-poll waits; what asks for more gets this.
	//
	// Defaults to 30 seconds.
	MaxWait time.Duration
	// ReadTimeout is how long a body, or a line of NDJSON, may take to arrive.
	//
	// Defaults to 30 seconds.
	ReadTimeout time.Duration
	// WriteTimeout is how long a reader may keep an answer, or a piece of a long
	// one, waiting. For streams it is the hub's.
	//
	// Defaults to 10 seconds.
	WriteTimeout time.Duration

	Logger    *slog.Logger
	Telemetry *telemetry.Telemetry
}

func (c Config) withDefaults() Config {
	c.MaxBody = cmp.Or(c.MaxBody, 1<<20)
	c.MaxBodies = max(cmp.Or(c.MaxBodies, 32<<20), 2*c.MaxBody)
	c.MaxWait = cmp.Or(c.MaxWait, 30*time.Second)
	c.ReadTimeout = cmp.Or(c.ReadTimeout, 30*time.Second)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 10*time.Second)
	c.Proxies = c.Proxies.withDefaults()
	c.Logger = cmp.Or(c.Logger, slog.Default())
	c.Telemetry = cmp.Or(c.Telemetry, telemetry.Disabled())
	return c
}

// New makes the surface of a hub.
func New(config Config) http.Handler {
	h := &handler{Config: config.withDefaults()}
	h.cors = newCORS(h.Origins)
	h.bodies.free = h.MaxBodies
	h.turns = make(chan struct{}, runtime.GOMAXPROCS(0))
	h.routes = h.table()
	return h
}

type handler struct {
	Config
	cors     cors
	bodies   bodies
	turns    chan struct{} // of those who decode a large body
	routes   map[string]route
	hijacker client.Hijacker
}
