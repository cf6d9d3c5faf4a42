// Command embed is an application with the hub inside: pages from its own mux,
// and beside them /live/v1/events.
//
//	go run ./examples/embed
//	curl -N 'localhost:3000/live/v1/events?topic=cards/**'
package main

import (
	"net/http"

	"go.uber.org/fx"

	"github.com/navehub/nave/wiring"
)

func main() { fx.New(application("localhost:3000", "./embed-data")).Run() }

func application(address, data string) fx.Option {
	return fx.Options(
		wiring.Core,
		wiring.DurableLog(data),
		wiring.OpenToAll, // to whoever reaches it; or provide an *auth.Authority
		fx.Invoke(mount),
		website(address), // what was there before
	)
}

func mount(mux *http.ServeMux, hub wiring.Handler) {
	mux.Handle("/live/", http.StripPrefix("/live", hub))
}
