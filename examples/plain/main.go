// Command plain puts the hub together by hand, without fx: a log, the hub on it,
// and its HTTP surface in a server.
//
//	go run ./examples/plain
package main

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/pebblelog"
	"github.com/navehub/nave/httpapi"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	listener, err := net.Listen("tcp", "localhost:8080")
	if err == nil {
		err = run(ctx, listener, "./plain-data")
	}
	if err != nil {
		log.Fatal(err)
	}
}

// retention is for how long events are kept: a log keeps everything that it is not
// told to let go of.
var retention = eventlog.Options{
	Durable: eventlog.Retention{Age: 7 * 24 * time.Hour, Bytes: 1 << 30},
	Memory:  eventlog.Retention{Age: 30 * time.Minute, Bytes: 16 << 20},
}

// run serves a hub until ctx ends.
func run(ctx context.Context, listener net.Listener, data string) error {
	h := hub.New(hub.Config{Authority: auth.Open()}, pebblelog.Opener(data, pebblelog.Options{Options: retention}))
	if err := h.Start(ctx); err != nil {
		return errors.Join(err, h.Shutdown(ctx), listener.Close())
	}
	server := &http.Server{Handler: httpapi.New(httpapi.Config{Hub: h}), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }() // ends below

	var err error
	select {
	case <-ctx.Done():
	case err = <-h.Failed():
	case err = <-served:
	}
	// First the hub, so that its streams end; the server waits for them.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	return errors.Join(err, h.Shutdown(ending), server.Shutdown(ending))
}
