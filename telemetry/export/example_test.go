package export_test

import (
	"context"
	"fmt"

	"github.com/navehub/nave/telemetry"
	"github.com/navehub/nave/telemetry/export"
)

// With no OTEL_ variable set, there are metrics to scrape and nothing else.
func Example() {
	ctx := context.Background()
	p, err := export.Start(ctx, export.Options{Service: "hub", Version: "1.0.0"})
	if err != nil {
		panic(err)
	}
	defer func() { _ = p.Shutdown(ctx) }()

	_, err = telemetry.New(telemetry.Config{
		TracerProvider: p.TracerProvider,
		MeterProvider:  p.MeterProvider,
		Propagator:     p.Propagator,
	})
	fmt.Println("traces:", p.TracerProvider != nil, "logs:", p.LogHandler != nil, "error:", err)
	// Output: traces: false logs: false error: <nil>
}
