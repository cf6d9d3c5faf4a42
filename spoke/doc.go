// Package spoke is the Go client of a Nave hub: it follows topics, and publishes.
//
//	hub, err := spoke.New(spoke.Config{URL: "http://localhost:8080"})
//	...
//	cards := hub.Subscribe(spoke.SubscribeConfig{Filters: nave.Filters{"cards/**"}, Cursor: saved})
//	for batch, err := range cards.Batches(ctx) {
//		...
//	}
//
// Order: batches come in the hub's order, whole, and never twice, over as many
// connections as that takes. The cursor moves on only when a batch has been handled, by
// which is meant that the loop asks for the next one: who keeps [Subscription.Cursor]
// then can go on after a crash.
//
// Transport: events are streamed while that works. Where it does not, since the hub says
// so, or since nothing comes through whatever stands in between, the same cursor is
// polled with, and now and then it is tried to stream again.
//
// Publishing: every event has an id, given by the caller or made here, so that trying
// again stores nothing twice.
//
// It starts no goroutine that outlives a call.
package spoke
