package pebblelog

import (
	"context"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/internal/admit"
)

// reserveBlock is how many offsets are reserved ahead. Memory events cost a
// sync once in as many; a crash skips up to as many.
const reserveBlock = 1 << 16

// Append stores a group of batches; see [eventlog.Log]. It does not heed its
// context: once begun, a commit has to be seen through.
func (l *Log) Append(_ context.Context, group []eventlog.Batch) ([]eventlog.Outcome, error) {
	if err := l.enter(context.Background()); err != nil {
		return nil, err
	}
	defer l.leave()
	l.write.Lock()
	defer l.write.Unlock()
	if l.lookForRoom(group); l.short.Load() {
		return l.settled(l.appendSome(group))
	}
	return l.append(group)
}

func (l *Log) append(group []eventlog.Batch) ([]eventlog.Outcome, error) {
	outcomes, err := l.appendGroup(group)
	if err != nil && l.broken() == nil && isDamage(err) {
		l.noteDamage(err)
		outcomes, err = l.appendOthers(group)
	}
	return l.settled(outcomes, err)
}

// settled makes any failure the one that broke the log.
func (l *Log) settled(outcomes []eventlog.Outcome, err error) ([]eventlog.Outcome, error) {
	if err != nil && l.broken() == nil {
		return nil, l.breaks(err)
	}
	return outcomes, err
}

// appendGroup changes nothing if it fails to look up what the group depends on.
// Any other failure has broken the log.
func (l *Log) appendGroup(group []eventlog.Batch) ([]eventlog.Outcome, error) {
	past := &past{log: l}
	outcomes, accepted, err := admit.Group(past, l.options.Window(), l.Head(), group)
	past.close()
	if err != nil {
		return nil, err
	}
	if len(accepted) == 0 {
		return outcomes, nil
	}
	holds, err := l.store(accepted)
	if err != nil {
		return nil, err
	}
	l.publish(accepted, holds)
	return outcomes, nil
}

// store makes safe what has to be: durable events, marks of first segments, and
// the reservation of offsets. Most groups of memory events need none of it.
func (l *Log) store(accepted []eventlog.Batch) (held, error) {
	w := l.newWrite()
	defer w.close()
	holds := *l.held.Load()
	for i := range accepted {
		b := &accepted[i]
		if b.Durability == nave.Memory {
			l.mark(w, b)
			continue
		}
		w.events(b, b.Time.Add(l.options.Window()))
		holds.bytes += int64(b.Size())
		holds.latest = b.Time
		if !holds.any {
			holds.any, holds.oldest = true, b.Time
		}
	}
	l.reserve(w, last(accepted))
	if !w.reserved && w.empty() {
		return holds, nil
	}
	holds.commits++
	w.position(position{l.reserved, holds.bytes, holds.commits})
	if err := l.commit(w, pebble.Sync); err != nil {
		return holds, err
	}
	return holds, l.acknowledge(holds.commits)
}

// acknowledge notes what publishers will be told.
func (l *Log) acknowledge(commits uint64) error {
	if err := l.acked.write(commits); err != nil {
		return l.breaks(err)
	}
	return l.broken()
}

func last(accepted []eventlog.Batch) uint64 {
	events := accepted[len(accepted)-1].Events
	return events[len(events)-1].Offset
}

// reserve sees to it that the offsets up to last are reserved: early if
// something is written anyway, so that memory events alone seldom have to.
func (l *Log) reserve(w *write, last uint64) {
	if last <= l.reserved && (w.empty() || l.reserved-last >= reserveBlock/2) {
		return
	}
	l.reserved = last + reserveBlock
	w.reserved = true
}

// publish makes the accepted batches visible.
func (l *Log) publish(accepted []eventlog.Batch, holds held) {
	for i := range accepted {
		b := &accepted[i]
		if b.Durability == nave.Memory {
			l.memory.Append(*b)
			continue
		}
		for j := range b.Events {
			if e := &b.Events[j]; e.Key != "" {
				l.memory.Forget(admit.KeyOf(e)) // or it would come back when this one goes
			}
		}
	}
	l.held.Store(&holds)
	l.head.Store(last(accepted))
}

func (w *write) events(b *eventlog.Batch, expires time.Time) {
	for i := range b.Events {
		e := &b.Events[i]
		w.key = appendEventKey(w.key[:0], e.Offset)
		w.value = appendEvent(w.value[:0], e, b.Time)
		w.set(w.key, w.value)
		w.key = appendTopicKey(w.key[:0], e.Topic, e.Offset)
		w.set(w.key, nil)
		if e.Key != "" {
			w.latest(e)
		}
		if e.ID != "" {
			w.key = appendIDKey(w.key[:0], admit.IDOf(e))
			w.value = appendPlace(w.value[:0], admit.PlaceOf(e, expires))
			w.set(w.key, w.value)
		}
	}
}

func (w *write) latest(e *nave.Event) {
	newest := latest{kind: logged, offset: e.Offset}
	if e.Tombstone() {
		newest.kind = tombstone
	}
	w.key = appendLatestKey(w.key[:0], admit.KeyOf(e))
	w.value = appendLatest(w.value[:0], newest)
	w.set(w.key, w.value)
}
