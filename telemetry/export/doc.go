// Package export sets the OpenTelemetry SDK up for the hub as a program.
//
// Metrics are always there to be scraped. Anything else leaves the process only
// if the environment asks for it, by the variables that OpenTelemetry has for
// every program: OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER,
// or an OTEL_EXPORTER_OTLP_ENDPOINT, also of one signal only. OTEL_SDK_DISABLED
// turns everything off.
//
// A hub that exports no traces has no TracerProvider, and so pays nothing for
// spans. One that does traces every request whose caller does, and ten a second
// of the others, unless OTEL_TRACES_SAMPLER says otherwise.
//
// Those who embed the hub have providers of their own, and no need of this
// package.
package export
