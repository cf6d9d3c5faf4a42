package telemetry

import (
	"context"
	"time"

	"github.com/navehub/nave"
)

// Measurements carry no context: they are made by actors, long after the request
// that caused them. Sampled fan-outs alone give exemplars.
var background = context.Background()

// Published counts a publish that was answered with yes, took after it was accepted.
func (t *Telemetry) Published(d nave.Durability, events int, took time.Duration) {
	t.counted.publishes.Add(1)
	t.counted.events.Add(uint64(events))
	l := t.tables.durability.of(d.String())
	t.publishEvents.Add(background, int64(events), l.add...)
	t.publishDuration.Record(background, took.Seconds(), l.record...)
}

// Refused counts a publish that was answered with no.
func (t *Telemetry) Refused(code nave.Code) {
	t.counted.refused.Add(1)
	if code == nave.CodeOverloaded {
		t.counted.overloaded.Add(1)
	}
	t.publishRefused.Add(background, 1, t.tables.code.of(string(code)).add...)
}

// RequestRefused counts a request, or a line of one, that was answered with no.
func (t *Telemetry) RequestRefused(code nave.Code) {
	t.requestRefused.Add(background, 1, t.tables.code.of(string(code)).add...)
}

// Conflicted counts n conditions of a publish that did not hold.
func (t *Telemetry) Conflicted(n int) {
	t.publishConflicts.Add(background, int64(n))
}

// Admitted tells how long a publish waited in its topic's mailbox.
func (t *Telemetry) Admitted(wait time.Duration) {
	t.counted.topic.record(wait)
	t.topicQueueDuration.Record(background, wait.Seconds())
}

// Appended tells of one committed group: how long its oldest publish waited in
// the journal's mailbox, and how long the commit took.
func (t *Telemetry) Appended(events, bytes int, wait, took time.Duration) {
	t.counted.append.record(took)
	t.appendGroupSize.Record(background, int64(events))
	t.appendIO.Add(background, int64(bytes))
	t.appendQueueDuration.Record(background, wait.Seconds())
	t.appendDuration.Record(background, took.Seconds())
}

// Dispatched tells of one group that one shard has offered to its clients.
func (t *Telemetry) Dispatched(events, offers int, took time.Duration) {
	t.dispatchEvents.Add(background, int64(events))
	t.dispatchOffers.Add(background, int64(offers))
	t.dispatchDuration.Record(background, took.Seconds())
}

// Delivered counts what one flush of a client's socket has written: events that
// were offered to a live client, or that were replayed.
func (t *Telemetry) Delivered(transport string, live bool, events int) {
	kind := deliveryReplay
	if live {
		kind = deliveryLive
	}
	t.delivered[t.tables.delivery.place(transport, kind)].Add(int64(events))
}

// passOn gives to the counter what was delivered since it was asked for last. The
// counter itself costs ten times as much, for each delivery.
func (t *Telemetry) passOn() {
	t.passing.Lock()
	defer t.passing.Unlock()
	for i := range t.delivered {
		all := t.delivered[i].Load()
		if n := all - t.passed[i]; n > 0 {
			t.deliveryEvents.Add(background, n, t.tables.delivery.labels[i].add...)
		}
		t.passed[i] = all
	}
}

// Took tells of some flush of live events how long its oldest one was offered and
// accepted ago. A replayed event has an age rather than a latency.
func (t *Telemetry) Took(transport string, queue, propagation time.Duration) {
	t.counted.queue.record(queue)
	t.counted.propagation.record(propagation)
	l := t.tables.transport.of(transport)
	t.deliveryQueueDuration.Record(background, queue.Seconds(), l.record...)
	t.deliveryDuration.Record(background, propagation.Seconds(), l.record...)
}

// Connected counts a connection.
func (t *Telemetry) Connected(transport string) {
	t.connectionOpened.Add(background, 1, t.tables.transport.of(transport).add...)
}

// Disconnected tells of a connection's end.
func (t *Telemetry) Disconnected(transport, reason string, age time.Duration) {
	l := t.tables.closed.of(transport, reason)
	t.connectionClosed.Add(background, 1, l.add...)
	t.connectionDuration.Record(background, age.Seconds(), l.record...)
}

// TurnedAway counts a connection that was refused when it came, for [RefusalTotal]
// or [RefusalAddress].
func (t *Telemetry) TurnedAway(reason string) {
	t.connectionRefused.Add(background, 1, t.tables.refusal.of(reason).add...)
}

// Resumed counts the verdict that a connection began with: live, recovered, or a
// [nave.ResetReason].
func (t *Telemetry) Resumed(verdict string) {
	t.connectionSyncs.Add(background, 1, t.tables.verdict.of(verdict).add...)
}

// Present counts members who have come to a topic, and left it.
func (t *Telemetry) Present(joined, left int) {
	t.presenceJoins.Add(background, int64(joined))
	t.presenceLeaves.Add(background, int64(left))
}

// Replayed tells of one page of past events, read from the ring or the log.
func (t *Telemetry) Replayed(source string, events int, took time.Duration) {
	l := t.tables.source.of(source)
	t.replayEvents.Record(background, int64(events), l.record...)
	t.replayDuration.Record(background, took.Seconds(), l.record...)
}

// ActorFailed counts a failure of an actor and its supervisor's directive:
// resume, restart, stop or escalate.
func (t *Telemetry) ActorFailed(kind, directive string) {
	t.actorFailures.Add(background, 1, t.tables.failure.of(kind, directive).add...)
}

// BreakerChanged counts a breaker that has become closed, half-open or open.
func (t *Telemetry) BreakerChanged(state string) {
	t.breakerTransitions.Add(background, 1, t.tables.breaker.of(state).add...)
}

// LevelChanged counts a change of the service level, by the one that is held now.
func (t *Telemetry) LevelChanged(level nave.Level) {
	t.levelChanges.Add(background, 1, t.tables.level.of(string(level)).add...)
}
