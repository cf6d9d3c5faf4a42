// Package wiring puts the hub together for go.uber.org/fx, and is the only place
// that does. Whatever it provides can be built by hand from the same exported
// constructors: see hub.New and httpapi.New.
//
// An application embeds the hub with [Core], a log, and its own mux:
//
//	fx.New(
//		wiring.Core,
//		wiring.DurableLog("./data"),
//		wiring.OpenToAll,
//		fx.Provide(http.NewServeMux),
//		fx.Invoke(func(mux *http.ServeMux, hub wiring.Handler) {
//			mux.Handle("/live/", http.StripPrefix("/live", hub))
//		}),
//	)
//
// An http.Server waits, when it is shut down, for streams over HTTP/2 and for
// long-polls. So that it need not, let it end them first:
//
//	server.RegisterOnShutdown(func() { _ = hub.Shutdown(ctx) })
//
// [Program] is everything that the hub command runs.
package wiring

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"

	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/httpapi"
	"github.com/navehub/nave/telemetry"
)

// Core provides *hub.Hub, hub.Publisher and [Handler], and starts and stops the
// hub with the application. It needs an eventlog.Opener, see [DurableLog] and
// [MemoryLog], and an *auth.Authority, or [OpenToAll]. Everything in [Params] that is
// optional may be provided too.
var Core = fx.Module("nave",
	fx.Provide(New),
	fx.Invoke(func(*hub.Hub) {}),
)

// Handler is the hub's HTTP surface. It is a type of its own so as not to
// collide with an application's http.Handler.
type Handler struct{ http.Handler }

// Params are what the hub is made of.
type Params struct {
	fx.In

	Lifecycle  fx.Lifecycle
	Shutdowner fx.Shutdowner
	Open       eventlog.Opener

	// Authority says who may do what; see auth.NewAuthority, and [OpenToAll].
	Authority *auth.Authority

	Config     hub.Config         `optional:"true"`
	HTTP       httpapi.Config     `optional:"true"` // Hub, Telemetry and Logger are filled in
	Extensions []hub.Extension    `group:"nave.extensions"`
	Breakers   []*breaker.Breaker `group:"nave.breakers"`

	Logger         *slog.Logger                  `optional:"true"`
	TracerProvider trace.TracerProvider          `optional:"true"`
	MeterProvider  metric.MeterProvider          `optional:"true"`
	Propagator     propagation.TextMapPropagator `optional:"true"`
}

// Parts are what comes of them.
type Parts struct {
	fx.Out

	Hub       *hub.Hub
	Publisher hub.Publisher
	Handler   Handler
	Telemetry *telemetry.Telemetry // for what else belongs to the hub
}

// New makes the hub and its HTTP surface, and hooks the hub to the lifecycle. A
// hub that supervision gives up on ends the application with exit code 1.
func New(p Params) (Parts, error) {
	t, err := telemetry.New(telemetry.Config{
		TracerProvider: p.TracerProvider,
		MeterProvider:  p.MeterProvider,
		Propagator:     p.Propagator,
		Classes:        hub.Classes(p.Config.Topics),
	})
	if err != nil {
		return Parts{}, err
	}
	if p.Logger == nil {
		p.Logger = slog.Default()
	}
	p.Config.Telemetry, p.Config.Logger = t, p.Logger
	p.Config.Extensions = append(p.Config.Extensions, sorted(p.Extensions)...)
	p.Config.Breakers = append(p.Config.Breakers, p.Breakers...)
	p.Config.Authority = p.Authority
	h := hub.New(p.Config, p.Open)

	p.HTTP.Hub, p.HTTP.Telemetry, p.HTTP.Logger = h, t, p.Logger
	handler := Handler{httpapi.New(p.HTTP)}
	p.Lifecycle.Append(hooks(h, p.Shutdowner, p.Logger))
	return Parts{Hub: h, Publisher: h, Handler: handler, Telemetry: t}, nil
}

// sorted puts what came from a group, whose order is random, into one.
func sorted(extensions []hub.Extension) []hub.Extension {
	return slices.SortedFunc(slices.Values(extensions), func(a, b hub.Extension) int {
		return cmp.Compare(a.Name, b.Name)
	})
}

func hooks(h *hub.Hub, app fx.Shutdowner, logger *slog.Logger) fx.Hook {
	watched := make(chan struct{})
	stopped := make(chan struct{})
	return fx.Hook{
		OnStart: func(ctx context.Context) error {
			if err := h.Start(ctx); err != nil {
				return errors.Join(err, h.Shutdown(ctx))
			}
			go func() { // ends in OnStop
				defer close(watched)
				select {
				case err := <-h.Failed():
					logger.Error("the hub gives up", "error", err)
					_ = app.Shutdown(fx.ExitCode(1)) // fails only if the application is ending already
				case <-stopped:
				}
			}()
			return nil
		},
		OnStop: func(ctx context.Context) error {
			close(stopped)
			<-watched
			return h.Shutdown(ctx)
		},
	}
}
