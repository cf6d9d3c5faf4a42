package telemetry

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
)

// instruments are what the methods of Telemetry write to.
type instruments struct {
	requestRefused metric.Int64Counter

	publishDuration  metric.Float64Histogram
	publishEvents    metric.Int64Counter
	publishRefused   metric.Int64Counter
	publishConflicts metric.Int64Counter

	topicQueueDuration metric.Float64Histogram

	appendDuration      metric.Float64Histogram
	appendQueueDuration metric.Float64Histogram
	appendGroupSize     metric.Int64Histogram
	appendIO            metric.Int64Counter

	dispatchDuration metric.Float64Histogram
	dispatchEvents   metric.Int64Counter
	dispatchOffers   metric.Int64Counter

	fanoutDuration metric.Float64Histogram
	fanoutSize     metric.Int64Histogram

	deliveryDuration      metric.Float64Histogram
	deliveryQueueDuration metric.Float64Histogram
	deliveryReceived      metric.Float64Histogram
	deliveryRendered      metric.Float64Histogram
	receipts              metric.Int64Counter
	deliveryEvents        metric.Int64Counter

	connectionOpened   metric.Int64Counter
	connectionClosed   metric.Int64Counter
	connectionDuration metric.Float64Histogram
	connectionRefused  metric.Int64Counter
	connectionSyncs    metric.Int64Counter

	presenceJoins  metric.Int64Counter
	presenceLeaves metric.Int64Counter

	replayDuration metric.Float64Histogram
	replayEvents   metric.Int64Histogram

	actorFailures metric.Int64Counter

	breakerTransitions metric.Int64Counter

	levelChanges metric.Int64Counter
}

func newInstruments(meter metric.Meter) (instruments, error) {
	m := maker{meter: meter}
	i := instruments{
		requestRefused: m.counter(requestRefused),

		publishDuration:  m.seconds(publishDuration),
		publishEvents:    m.counter(publishEvents),
		publishRefused:   m.counter(publishRefused),
		publishConflicts: m.counter(publishConflicts),

		topicQueueDuration: m.seconds(topicQueueDuration),

		appendDuration:      m.seconds(appendDuration),
		appendQueueDuration: m.seconds(appendQueueDuration),
		appendGroupSize:     m.sizes(appendGroupSize),
		appendIO:            m.counter(appendIO),

		dispatchDuration: m.seconds(dispatchDuration),
		dispatchEvents:   m.counter(dispatchEvents),
		dispatchOffers:   m.counter(dispatchOffers),

		fanoutDuration: m.seconds(fanoutDuration),
		fanoutSize:     m.sizes(fanoutSize),

		deliveryDuration:      m.seconds(deliveryDuration),
		deliveryQueueDuration: m.seconds(deliveryQueueDuration),
		deliveryReceived:      m.seconds(deliveryReceived),
		deliveryRendered:      m.seconds(deliveryRendered),
		receipts:              m.counter(deliveryReceipts),
		deliveryEvents:        m.counter(deliveryEvents),

		connectionOpened:   m.counter(connectionOpened),
		connectionClosed:   m.counter(connectionClosed),
		connectionDuration: m.seconds(connectionDuration),
		connectionRefused:  m.counter(connectionRefused),
		connectionSyncs:    m.counter(connectionSyncs),

		presenceJoins:  m.counter(presenceJoins),
		presenceLeaves: m.counter(presenceLeaves),

		replayDuration: m.seconds(replayDuration),
		replayEvents:   m.sizes(replayEvents),

		actorFailures: m.counter(actorFailures),

		breakerTransitions: m.counter(breakerTransitions),

		levelChanges: m.counter(levelChanges),
	}
	return i, m.err
}

// tables are the labels that the instruments are written with.
type tables struct {
	durability, code, transport, delivery, closed, refusal, verdict, source, kind, failure, breaker, level, class, receipt table
}

func newTables(kinds, classes choice) tables {
	return tables{
		durability: newTable(durabilities),
		code:       newTable(codes),
		transport:  newTable(transports),
		delivery:   newTable(transports, deliveries),
		closed:     newTable(transports, closeReasons),
		refusal:    newTable(refusals),
		verdict:    newTable(verdicts),
		source:     newTable(replaySources),
		kind:       newTable(kinds),
		failure:    newTable(kinds, directives),
		breaker:    newTable(breakerStates),
		level:      newTable(levels),
		class:      newTable(classes),
		receipt:    newTable(receipts),
	}
}

// A def defines an instrument. Only histograms have buckets.
type def struct {
	name, unit, about string
	buckets           []float64
}

// A maker makes instruments and keeps what went wrong.
type maker struct {
	meter metric.Meter
	err   error
}

func made[I any](m *maker, instrument I, err error) I {
	m.err = errors.Join(m.err, err)
	return instrument
}

func (m *maker) counter(d def) metric.Int64Counter {
	i, err := m.meter.Int64Counter(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.about))
	return made(m, i, err)
}

func (m *maker) seconds(d def) metric.Float64Histogram {
	i, err := m.meter.Float64Histogram(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.about),
		metric.WithExplicitBucketBoundaries(d.buckets...))
	return made(m, i, err)
}

func (m *maker) sizes(d def) metric.Int64Histogram {
	i, err := m.meter.Int64Histogram(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.about),
		metric.WithExplicitBucketBoundaries(d.buckets...))
	return made(m, i, err)
}

func (m *maker) observableGauge(d def) metric.Int64ObservableGauge {
	i, err := m.meter.Int64ObservableGauge(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.about))
	return made(m, i, err)
}

func (m *maker) observableSeconds(d def) metric.Float64ObservableGauge {
	i, err := m.meter.Float64ObservableGauge(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.about))
	return made(m, i, err)
}

func (m *maker) observableLevel(d def) metric.Int64ObservableUpDownCounter {
	i, err := m.meter.Int64ObservableUpDownCounter(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.about))
	return made(m, i, err)
}

func (m *maker) observableCounter(d def) metric.Int64ObservableCounter {
	i, err := m.meter.Int64ObservableCounter(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.about))
	return made(m, i, err)
}
