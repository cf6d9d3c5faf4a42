package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/fx"
)

// listening is where the board listens.
type listening struct{ net.Addr }

// routes puts the page, the api and the hub beside each other: one origin.
func routes(o options, a *api, e *embedded) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", a.handler())
	for _, path := range []string{"/v1/", "/dashboard", "/dashboard/", "/livez", "/readyz"} {
		mux.Handle(path, e)
	}
	mux.Handle("/", page(o.web))
	var all http.Handler = mux
	if o.mayTrouble() {
		all = slowly(all)
	}
	if isLocal(o.listen) {
		all = byLocalName(all)
	}
	return all
}

// policy lets the page do what it does, and nobody put it into a frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// page has the files that were built; browsers ask each time whether they have
// changed.
func page(folder string) http.Handler {
	files := http.FileServer(http.Dir(folder))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := os.Stat(filepath.Join(folder, "index.html")); err != nil {
			http.Error(w, "There is no page in "+folder+". Build it, and run the board: make board", http.StatusNotFound)
			return
		}
		h := w.Header()
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		files.ServeHTTP(w, r)
	})
}

func newServer(lc fx.Lifecycle, end fx.Shutdowner, o options, a *api, e *embedded) (listening, error) {
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return listening{}, err
	}
	server := &http.Server{Handler: routes(o, a, e), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	watch(server)
	served := make(chan struct{})
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			if !o.alone {
				if err := e.start(ctx); err != nil {
					return errors.Join(err, l.Close())
				}
			}
			go func() { // ends in OnStop
				defer close(served)
				if err := server.Serve(listener{l, &e.connections}); !errors.Is(err, http.ErrServerClosed) {
					slog.Error("the server ends", "error", err)
					_ = end.Shutdown(fx.ExitCode(1)) // fails only if the board is ending already
				}
			}()
			return nil
		},
		// First the hub, so that its streams end; the server waits for those that poll.
		OnStop: func(ctx context.Context) error {
			err := errors.Join(e.stop(ctx), server.Shutdown(ctx))
			if err != nil {
				err = errors.Join(err, server.Close())
			}
			<-served
			return err
		},
	})
	return listening{l.Addr()}, nil
}
