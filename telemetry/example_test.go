package telemetry_test

import (
	"context"
	"fmt"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/navehub/nave"
	"github.com/navehub/nave/telemetry"
)

// Whoever embeds the hub hands in providers; here one that keeps its spans.
func Example() {
	spans := tracetest.NewSpanRecorder()
	tel, err := telemetry.New(telemetry.Config{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)),
	})
	if err != nil {
		panic(err)
	}

	events := []nave.Event{{Topic: "cards/board-1", Type: "card.moved"}}
	_, publish := tel.StartPublish(context.Background(), events)
	publish.End()

	fanout := tel.StartFanout(publish.SpanContext(), time.Now())
	fanout.Offered(1)
	fanout.Dispatched()
	fanout.Written(time.Now())

	for _, s := range spans.Ended() {
		fmt.Println(s.SpanKind(), s.Name())
	}
	// Output:
	// producer publish
	// internal fanout
}
