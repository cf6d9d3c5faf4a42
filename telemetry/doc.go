// Package telemetry says what the hub does: traces, metrics, and the trace's
// name on every log line.
//
// One event makes a handful of spans, whatever its fan-out:
//
//	POST /v1/events     SERVER     request → answer
//	  publish           INTERNAL   validated → answered; PRODUCER if the hub creates the context
//	    topic           INTERNAL   in the topic's mailbox
//	    append          INTERNAL   in the journal's mailbox, and the commit
//	    fanout          INTERNAL   committed → last socket write, or one second
//	process <class>     CONSUMER   received → rendered by a client, as its receipt says
//
// The stages end up in different actors, so a message carries a
// [trace.SpanContext], never a context.Context, and a stage is told about
// afterwards ([Telemetry.Stage]). A fan-out is one span with figures, not one
// span a connection: see [Fanout]. What a client does is a child of the span that
// created the event, and linked to its fan-out: see [Receipt].
//
// Metrics have closed sets of attribute values: never a topic, a client or an
// error's text. A value outside its set counts as "_OTHER".
//
// Only the OpenTelemetry API is imported here; the SDK is set up in package
// export, or by whoever embeds the hub. Without providers everything is a no-op
// that does not allocate. All methods may be called concurrently.
package telemetry
