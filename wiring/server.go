package wiring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"go.uber.org/fx"

	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/config"
	"github.com/navehub/nave/telemetry"
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
	Telemetry  *telemetry.Telemetry
	Logger     *slog.Logger
}

// newServer listens at once, so that a port in use is an error of the start and
// the address is known; it serves once the hub has started.
func newServer(p serverParams) (Address, error) {
	listener, err := client.ListenConfig().Listen(context.Background(), "tcp", p.Config.Listen)
	if err != nil {
		return Address{}, fmt.Errorf("listen on %s: %w", p.Config.Listen, err)
	}
	secure, err := newTLS(p.Lifecycle, p.Config, listener.Addr(), p.Logger)
	if err != nil {
		return Address{}, errors.Join(err, listener.Close())
	}
	limit := connectionLimit(p.Config, p.Logger)
	bounded := newBoundedListener(listener, &census{
		total: limit, each: p.Config.Limits.ConnectionsPerAddress, exempt: standsForMany(p.Config),
	}, refusing(secure), p.Telemetry.TurnedAway)
	server := &http.Server{
		Handler:           p.Handler,
		TLSConfig:         secure,
		HTTP2:             http2Limits(p.Config),
		ReadHeaderTimeout: time.Duration(p.Config.Limits.Handshake), // of which TLS takes its own
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    int(p.Config.Limits.Header),
		ErrorLog:          slog.NewLogLogger(p.Logger.Handler(), slog.LevelDebug),
		// It would answer OPTIONS * itself, and wait for a body for ever.
		DisableGeneralOptionsHandler: true,
	}
	serve := server.Serve
	if secure != nil {
		server.Handler = strictly(crowd(server.Handler, limit), time.Duration(p.Config.TLS.HSTS))
		serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	served := make(chan struct{})
	p.Lifecycle.Append(fx.Hook{
		OnStart: func(context.Context) error {
			go func() { // ends in OnStop
				defer close(served)
				if err := serve(bounded); !errors.Is(err, http.ErrServerClosed) {
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

// standsForMany tells peers that may have more connections than one client: proxies,
// and whatever runs on this machine.
func standsForMany(cfg config.Config) func(netip.Addr) bool {
	trusted := proxies(cfg)
	return func(peer netip.Addr) bool { return peer.IsLoopback() || trusted.Trusts(peer) }
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
