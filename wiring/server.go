package wiring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"go.uber.org/fx"

	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/config"
)

// Address is where the program's HTTP server listens.
type Address struct{ net.Addr }

type serverParams struct {
	fx.In

	Lifecycle  fx.Lifecycle
	Shutdowner fx.Shutdowner
	Config     config.Config
	Hub        *hub.Hub
	Handler    Handler
	Metrics    Metrics
	Logger     *slog.Logger
}

// newServer listens at once, so that a port in use is an error of the start and
// the address is known; it serves once the hub has started.
func newServer(p serverParams) (Address, error) {
	listener, err := net.Listen("tcp", p.Config.Listen)
	if err != nil {
		return Address{}, fmt.Errorf("listen on %s: %w", p.Config.Listen, err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", p.Handler)
	mux.Handle("GET /metrics", p.Metrics)
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    int(p.Config.Limits.Header),
		ErrorLog:          slog.NewLogLogger(p.Logger.Handler(), slog.LevelDebug),
		ConnState:         limitConnections(p.Config, p.Hub, p.Logger),
	}
	served := make(chan struct{})
	p.Lifecycle.Append(fx.Hook{
		OnStart: func(context.Context) error {
			go func() { // ends in OnStop
				defer close(served)
				if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
					p.Logger.Error("the HTTP server ends", "error", err)
					_ = p.Shutdowner.Shutdown(fx.ExitCode(1)) // fails only if the application is ending already
				}
			}()
			return nil
		},
		OnStop: func(ctx context.Context) error {
			drain, cancel := context.WithTimeout(ctx, time.Duration(p.Config.Shutdown.Timeout))
			defer cancel()
			err := stopServer(drain, p.Hub, server)
			<-served
			return err
		},
	})
	return Address{listener.Addr()}, nil
}

// stopServer drains the hub while the server still answers, so that publishers
// hear a refusal and probes hear why, and then closes what is left.
func stopServer(ctx context.Context, h *hub.Hub, server *http.Server) error {
	err := h.Shutdown(ctx)
	if shutErr := server.Shutdown(ctx); shutErr != nil {
		err = errors.Join(err, shutErr, server.Close())
	}
	return err
}
