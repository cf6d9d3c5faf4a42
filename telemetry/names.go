package telemetry

import (
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/navehub/nave"
)

// This file is the catalogue: every span, metric and attribute is named here.

// Scope names the tracer and the meter.
const Scope = "github.com/navehub/nave/telemetry"

// Spans, beside the server spans, which are named by method and route.
const (
	SpanPublish = "publish"
	SpanTopic   = "topic"
	SpanAppend  = "append"
	SpanFanout  = "fanout"
	// SpanSubscribe is of a stream, and ends when the stream is live.
	SpanSubscribe = "subscribe"
	// SpanProcess and a class of topics are what becomes of an event at a client.
	SpanProcess = "process"
)

// Attributes of metrics. Their values are the closed sets below.
const (
	AttrDurability   = attribute.Key("nave.durability")
	AttrTransport    = attribute.Key("nave.transport")
	AttrDelivery     = attribute.Key("nave.delivery.kind")
	AttrCloseReason  = attribute.Key("nave.connection.close.reason")
	AttrRefusal      = attribute.Key("nave.connection.refusal.reason")
	AttrVerdict      = attribute.Key("nave.sync.verdict")
	AttrReplaySource = attribute.Key("nave.replay.source")
	AttrActorKind    = attribute.Key("nave.actor.kind")
	AttrDirective    = attribute.Key("nave.actor.directive")
	AttrBreakerState = attribute.Key("nave.breaker.state")
	AttrLevel        = attribute.Key("nave.level")
	AttrTopicClass   = attribute.Key("nave.topic.class") // the filter of the rule for it
	AttrReceipt      = attribute.Key("nave.receipt.result")
	AttrErrorType    = semconv.ErrorTypeKey
)

// Attributes of spans only: their values are numbers and free text.
const (
	AttrSystem    = semconv.MessagingSystemKey
	AttrOperation = semconv.MessagingOperationNameKey
	AttrTopic     = semconv.MessagingDestinationNameKey
	AttrTemplate  = semconv.MessagingDestinationTemplateKey
	AttrEvents    = semconv.MessagingBatchMessageCountKey
	AttrEventID   = semconv.CloudEventsEventIDKey
	AttrSource    = semconv.CloudEventsEventSourceKey
	AttrEventType = semconv.CloudEventsEventTypeKey

	AttrAppendGroup  = attribute.Key("nave.append.group.size") // events committed together
	AttrAppendBytes  = attribute.Key("nave.append.bytes")
	AttrAppendQueue  = attribute.Key("nave.append.queue_us")
	AttrAppendCommit = attribute.Key("nave.append.commit_us")
	AttrLogOffset    = attribute.Key("nave.log.offset")

	AttrFanoutConnections = attribute.Key("nave.fanout.connections") // written + skipped + pending
	AttrFanoutWritten     = attribute.Key("nave.fanout.written")
	AttrFanoutSkipped     = attribute.Key("nave.fanout.skipped")
	AttrFanoutPending     = attribute.Key("nave.fanout.pending")
	AttrFanoutFirst       = attribute.Key("nave.fanout.first_write_us")
	AttrFanoutLast        = attribute.Key("nave.fanout.last_write_us")

	AttrConnection = attribute.Key("nave.connection.id")
	AttrReceived   = attribute.Key("nave.receipt.received_us") // after the hub had accepted the event
	AttrRendered   = attribute.Key("nave.receipt.rendered_us")
	AttrClockError = attribute.Key("nave.receipt.clock_error_us") // at most
)

// What the attributes of metrics may say.
var (
	durabilities  = newChoice(AttrDurability, nave.Durable, nave.Memory, nave.Transient)
	transports    = newChoice(AttrTransport, "sse", "ndjson")
	deliveries    = newChoice(AttrDelivery, deliveryLive, deliveryReplay)
	replaySources = newChoice(AttrReplaySource, "ring", "log")
	directives    = newChoice(AttrDirective, "resume", "restart", "stop", "escalate")
	breakerStates = newChoice(AttrBreakerState, "closed", "half-open", "open")
	levels        = newChoice(AttrLevel, nave.Levels...)

	closeReasons = newChoice(AttrCloseReason, "client", "write", "too slow", "shutdown",
		"unavailable", "auth", "level", "admin", "error")
	receipts = newChoice(AttrReceipt, receiptCounted, receiptMoved, ReceiptUnasked, ReceiptUnknown,
		ReceiptForbidden, ReceiptAgain, ReceiptReplayed, ReceiptAbsurd, ReceiptTooMany)
	refusals = newChoice(AttrRefusal, RefusalTotal, RefusalAddress)
	verdicts = newChoice(AttrVerdict, "live", "recovered",
		nave.ResetMalformed, nave.ResetForeignEpoch, nave.ResetAhead, nave.ResetRetention, nave.ResetDamaged, nave.ResetDegraded)
	codes = newChoice(AttrErrorType,
		nave.CodeInvalid, nave.CodeTooLarge, nave.CodeTooMany, nave.CodeConflict,
		nave.CodePartialRepeat, nave.CodeReset, nave.CodeBusy, nave.CodeOverloaded,
		nave.CodeDraining, nave.CodeUnavailable, nave.CodeUnauthorised,
		nave.CodeForbidden, nave.CodeDegraded, nave.CodeNotFound, nave.CodeInternal,
		"method-not-allowed", "not-acceptable", "misdirected", "timeout", "unsupported-media-type") // of HTTP only

	// The hub's own kinds; an embedder adds to them with Config.ActorKinds.
	actorKinds = []string{
		"hub", "journal", "dispatcher", "retention", "topics", "topic", "clients", "client",
		"breakers", "breaker", "governor", "presence", "extensions", "extension",
	}
)

// Why a connection is refused when it comes.
const (
	RefusalTotal   = "total"   // there are as many as there may be
	RefusalAddress = "address" // there are as many of its address
)

const (
	deliveryLive   = "live"
	deliveryReplay = "replay"
)

// Bucket boundaries. The promise "within 100 ms" is a ratio of two buckets, so
// latencies must have 0.1 as a boundary exactly.
var (
	latencies = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	ages      = []float64{1, 10, 60, 300, 900, 3600, 14400, 86400}
	counts    = []float64{1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000}
)

// Metrics. Durations are in seconds.
var (
	requestRefused = def{"nave.request.refused", "{request}", "Requests, and lines of them, that were refused.", nil}

	publishDuration  = def{"nave.publish.duration", "s", "From a publish being accepted to its answer.", latencies}
	publishEvents    = def{"nave.publish.events", "{event}", "Events that were published.", nil}
	publishRefused   = def{"nave.publish.refused", "{publish}", "Publishes that were refused.", nil}
	publishConflicts = def{"nave.publish.conflicts", "{conflict}", "Conditions on a key's version that did not hold.", nil}

	topicQueueDuration = def{"nave.topic.queue.duration", "s", "Time that a publish waited in its topic's mailbox.", latencies}

	appendDuration      = def{"nave.append.duration", "s", "Time that the commit of one group took.", latencies}
	appendQueueDuration = def{"nave.append.queue.duration", "s", "Time that a group's oldest publish waited in the journal's mailbox.", latencies}
	appendGroupSize     = def{"nave.append.group.size", "{event}", "Events that were committed as one group.", counts}
	appendIO            = def{"nave.append.io", "By", "Bytes that were committed.", nil}

	dispatchDuration = def{"nave.dispatch.duration", "s", "Time that one shard took to offer one group to its clients.", latencies}
	dispatchEvents   = def{"nave.dispatch.events", "{event}", "Events that shards went through.", nil}
	dispatchOffers   = def{"nave.dispatch.offers", "{offer}", "Offers of events to clients.", nil}

	fanoutDuration = def{"nave.fanout.duration", "s", "From commit to the last socket write; sampled events only.", latencies}
	fanoutSize     = def{"nave.fanout.size", "{connection}", "Connections that an event was for; sampled events only.", counts}

	deliveryDuration      = def{"nave.delivery.duration", "s", "From an event being accepted to its socket write having returned; live events, every eighth write of a client.", latencies}
	deliveryQueueDuration = def{"nave.delivery.queue.duration", "s", "From an event being offered to a client to its socket write; live events, every eighth write of a client.", latencies}
	deliveryReceived      = def{"nave.delivery.received.duration", "s", "From an event being accepted to a client having received it, as receipts say.", latencies}
	deliveryRendered      = def{"nave.delivery.rendered.duration", "s", "From an event being accepted to a client having rendered it, as receipts say.", latencies}
	deliveryReceipts      = def{"nave.delivery.receipts", "{receipt}", "Receipts that clients have sent, by what became of them.", nil}
	deliveryEvents        = def{"nave.delivery.events", "{event}", "Events that were written to clients.", nil}

	connectionOpened   = def{"nave.connection.opened", "{connection}", "Connections that were opened.", nil}
	connectionClosed   = def{"nave.connection.closed", "{connection}", "Connections that have ended.", nil}
	connectionDuration = def{"nave.connection.duration", "s", "Age of connections at their end.", ages}
	connectionRefused  = def{"nave.connection.refused", "{connection}", "Connections that were refused when they came.", nil}
	connectionSyncs    = def{"nave.connection.syncs", "{connection}", "Verdicts that connections began with.", nil}

	presenceJoins  = def{"nave.presence.joins", "{member}", "Members who have come, each on one topic.", nil}
	presenceLeaves = def{"nave.presence.leaves", "{member}", "Members who have left.", nil}

	replayDuration = def{"nave.replay.duration", "s", "Time that reading one page of past events took.", latencies}
	replayEvents   = def{"nave.replay.events", "{event}", "Events in one page of past events.", counts}

	actorFailures = def{"nave.actor.failures", "{failure}", "Failures of actors, by what their supervisor did.", nil}

	breakerTransitions = def{"nave.breaker.transitions", "{transition}", "Changes of breakers, by the state that they changed to.", nil}

	levelChanges = def{"nave.level.changes", "{change}", "Changes of the service level, by the one that it changed to.", nil}
)

// Metrics that are read, not counted: see Gauges.
var (
	connectionActive  = def{"nave.connection.active", "{connection}", "Connections that are open.", nil}
	connectionLagging = def{"nave.connection.lagging", "{connection}", "Connections that are behind and catch up.", nil}
	presenceMembers   = def{"nave.presence.members", "{member}", "Members who are present, each on one topic.", nil}
	breakerOpen       = def{"nave.breaker.open", "{breaker}", "Breakers that are open or half-open.", nil}
	topicActive       = def{"nave.topic.active", "{topic}", "Topics that have an actor.", nil}
	logOffset         = def{"nave.log.offset", "", "The latest offset.", nil}
	logOldest         = def{"nave.log.oldest", "", "The offset from which on every topic can be resumed.", nil}
	logAge            = def{"nave.log.age", "s", "Age of the oldest durable event.", nil}
	logSize           = def{"nave.log.size", "By", "Bytes that the log holds.", nil}
	actorActive       = def{"nave.actor.active", "{actor}", "Actors that are alive.", nil}
	actorRestarts     = def{"nave.actor.restarts", "{restart}", "Restarts of actors.", nil}
	mailboxMessages   = def{"nave.mailbox.messages", "{message}", "Messages that wait in mailboxes.", nil}
	mailboxSize       = def{"nave.mailbox.size", "By", "Bytes that wait in mailboxes.", nil}
	mailboxDepthMax   = def{"nave.mailbox.depth.max", "{message}", "Messages that wait in the fullest mailbox.", nil}
	mailboxRefused    = def{"nave.mailbox.refused", "{message}", "Messages that a full mailbox refused.", nil}
	levelNumber       = def{"nave.level", "", "The service level as a number: 0 is normal, 4 is off.", nil}
	levelHeld         = def{"nave.level.held", "", "1 for the service level that is held, 0 for each other.", nil}
	ready             = def{"nave.ready", "", "1 while the hub can do all that it promises, else 0.", nil}
	heapSize          = def{"nave.heap.size", "By", "Bytes of the heap that were in use when garbage was last collected.", nil}
	heapBudget        = def{"nave.heap.budget", "By", "Bytes that they may be; 0 if nothing bounds them.", nil}
	schedulingLatency = def{"nave.scheduling.latency", "s", "What 99 % of goroutines did not exceed in waiting for a processor, in the last second.", nil}
	filesOpen         = def{"nave.file.open", "{file}", "Files and sockets that the process has open.", nil}
	filesLimit        = def{"nave.file.limit", "{file}", "Files and sockets that it may have open.", nil}
)
