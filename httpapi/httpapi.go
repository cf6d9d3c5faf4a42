// Package httpapi is the hub's HTTP surface.
//
//	POST /v1/events    publish               publish.go, lines.go
//	GET  /v1/events    subscribe, or poll    subscribe.go, page.go
//	GET  /v1/state     the state of keys     state.go
//	GET  /v1/presence  who is there          presence.go
//	POST /v1/presence  idle, or not
//	POST /v1/receipts  what has arrived      receipts.go
//	POST /v1/token     a newer token         token.go
//	POST /v1/tickets   for a URL             token.go
//	     /v1/admin/…   who is connected; revocations; see admin.go
//	GET  /metrics      for Prometheus
//	GET  /livez        is the process alive  probes.go
//	GET  /readyz       can the hub do all it promises
//	GET  /dashboard    all of it as a page   dashboard.go
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
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/receipt"
	"github.com/navehub/nave/registry"
	"github.com/navehub/nave/telemetry"
)

// A Hub is what the surface is for; *hub.Hub is one.
type Hub interface {
	Submit(ctx context.Context, events ...nave.Event) (*hub.Pending, error)
	// Connect hands over a stream and with it, unless there is an error, its
	// transport.
	Connect(ctx context.Context, req client.Request) error
	Poll(ctx context.Context, req client.Request, wait time.Duration) (hub.Page, error)
	State(ctx context.Context, filters nave.Filters) (eventlog.Snapshot, error)
	Epoch() nave.Epoch
	Level() nave.Level
	Service() hub.Service
	Pin(ctx context.Context, pin *hub.Pin) error
	Limits() hub.Limits
	Ready() error
	Registry() *registry.Registry
	// Vitals say how the hub fares now, VitalsPast how it has fared.
	Vitals() *hub.Vitals
	VitalsPast() []hub.Point
	// Authority says who a caller is, and what it may do.
	Authority() *auth.Authority
	Renew(ctx context.Context, connection uint64, who *auth.Identity) error
	Disconnect(connection uint64) error
	Revoke(ctx context.Context, r auth.Revocation) error
	LiftRevocation(ctx context.Context, key string) (bool, error)
	ResetBreaker(ctx context.Context, name, by string) error
	// SetIdle says whether somebody is at a connection.
	SetIdle(ctx context.Context, connection uint64, who *auth.Identity, idle bool) error
	// Receive takes a report of what has arrived.
	Receive(r receipt.Report, who *auth.Identity)
	// Accepting ends when the hub begins to shut down.
	Accepting() context.Context
}

// Config configures the surface. Everything but Hub may be left zero.
type Config struct {
	Hub Hub
	// Cookie is the name of the cookie that may carry the token, for browsers. Only
	// pages of the hub's own origin and of Origins, by their whole names, may use it.
	//
	// Defaults to "__Host-nave".
	Cookie string
	// TicketLife is how long a ticket can be used.
	//
	// Defaults to 30 seconds.
	TicketLife time.Duration
	// Rate is how many events a second are accepted in all, RatePerSubject from each
	// subject of tokens, or from each address without one; 0 for no limit.
	Rate, RatePerSubject float64
	// Hosts are the names that the hub answers to, without port; none is all. A page
	// whose name somebody has pointed to this machine would pass for the hub's own.
	Hosts []string
	// Metrics answers GET /metrics, for whoever may administer metrics; nil: there
	// is no such path.
	Metrics http.Handler
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
	c.Cookie = cmp.Or(c.Cookie, "__Host-nave")
	c.TicketLife = cmp.Or(c.TicketLife, 30*time.Second)
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
	h.authority = h.Hub.Authority()
	h.audit = newAudit(h.Logger)
	h.tickets = auth.NewTickets(h.TicketLife)
	h.rates = newRates(h.Rate, h.RatePerSubject)
	h.receipts = newRates(0, receiptsRate)
	h.turns = make(chan struct{}, runtime.GOMAXPROCS(0))
	h.routes = h.table()
	h.arriving.of = make(map[*exchange]struct{})
	context.AfterFunc(h.Hub.Accepting(), h.arriving.hurry)
	return h
}

type handler struct {
	Config
	cors      cors
	authority *auth.Authority
	audit     *audit
	tickets   *auth.Tickets
	rates     *rates
	receipts  *rates
	bodies    bodies
	arriving  arriving
	turns     chan struct{} // of those who decode a large body
	routes    map[string]route
	hijacker  client.Hijacker
}
