package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"go.uber.org/fx"
)

// listening is where the website listens.
type listening struct{ net.Addr }

// website is an application that knows nothing of the hub.
func website(address string) fx.Option {
	return fx.Options(
		fx.Provide(newMux, func(lc fx.Lifecycle, mux *http.ServeMux) (listening, error) {
			return listen(lc, mux, address)
		}),
		fx.Invoke(func(listening) {}),
	)
}

func newMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "Hello from the website.\n")
	})
	return mux
}

func listen(lc fx.Lifecycle, mux *http.ServeMux, address string) (listening, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return listening{}, err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	lc.Append(fx.Hook{
		OnStart: func(context.Context) error {
			go func() { ended <- server.Serve(listener) }() // ends in OnStop
			return nil
		},
		OnStop: func(ctx context.Context) error {
			err := server.Shutdown(ctx)
			if ended := <-ended; !errors.Is(ended, http.ErrServerClosed) {
				err = fmt.Errorf("serve: %w", ended)
			}
			return err
		},
	})
	return listening{listener.Addr()}, nil
}
