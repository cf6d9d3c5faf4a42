package pebblelog

import (
	"context"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog/internal/admit"
)

const (
	// trimStep is about how many events leave while appends wait: a millisecond.
	trimStep = 256
	// sweepEvery is how often expired idempotency keys are looked for. They are
	// not believed before, so this costs only disk.
	sweepEvery = time.Hour
	// sweepStep is how many of them are looked at while appends wait.
	sweepStep = 1024
)

// Trim applies retention; see [eventlog.Log].
//
// Its steps are not synced. A crash may undo the last ones, all of a step and
// never without those after it, and the next Trim does them again.
func (l *Log) Trim(ctx context.Context, now time.Time) error {
	var failed []error // what keeps one kind from leaving does not keep the others
	for _, step := range []func(time.Time) (bool, error){l.trimDurable, l.trimMemory, l.sweep()} {
		for more := true; more; {
			var err error
			if more, err = l.step(ctx, now, step); err != nil {
				l.noteDamage(err)
				failed = append(failed, err)
				break
			}
		}
	}
	return errors.Join(failed...)
}

func (l *Log) step(ctx context.Context, now time.Time, step func(time.Time) (bool, error)) (more bool, err error) {
	if err := l.enter(ctx); err != nil {
		return false, err
	}
	defer l.leave()
	l.write.Lock()
	defer l.write.Unlock()
	return step(now)
}

// trimDurable takes the oldest durable events that have passed out of retention.
func (l *Log) trimDurable(now time.Time) (more bool, err error) {
	if l.options.Durable.Age <= 0 && l.options.Durable.Bytes <= 0 || l.tight() {
		return false, nil
	}
	events, err := l.db.NewIter(stretch{max(l.first, 1) - 1, l.Head()}.bounds())
	if err != nil {
		return false, err
	}
	defer events.Close()
	t := trimming{log: l, write: l.newWrite(), left: *l.held.Load(), horizons: make(map[nave.Topic]uint64)}
	defer t.write.close()
	if more, err = t.take(events, now); err != nil || t.taken == 0 {
		return false, err
	}
	return more, t.commit()
}

// trimming is one step of taking durable events.
type trimming struct {
	log      *Log
	write    *write
	taken    int
	from, to uint64 // offsets of the first and last taken
	left     held
	horizons map[nave.Topic]uint64
}

// take goes on until what is oldest may stay, or until the step is long enough
// and a batch ends; then there is more.
func (t *trimming) take(events *pebble.Iterator, now time.Time) (more bool, err error) {
	for events.First(); events.Valid(); events.Next() {
		e, commit, err := readEvent(events)
		if err != nil {
			return false, err
		}
		if e.Batch.I == 0 {
			t.left.oldest = commit
			if t.taken >= trimStep {
				return true, nil
			}
			if !t.passed(commit, now) {
				return false, nil
			}
		}
		if err := t.event(&e, events); err != nil {
			return false, err
		}
	}
	t.left.any, t.left.oldest, t.left.latest = false, time.Time{}, time.Time{}
	return false, events.Error()
}

func (t *trimming) passed(commit, now time.Time) bool {
	r := t.log.options.Durable
	return r.Bytes > 0 && t.left.bytes > r.Bytes || r.Age > 0 && now.Sub(commit) > r.Age
}

func (t *trimming) event(e *nave.Event, at *pebble.Iterator) error {
	if t.taken == 0 {
		t.from = e.Offset
	}
	t.taken++
	t.to = e.Offset
	t.left.bytes -= int64(e.Size())
	t.horizons[e.Topic] = e.Offset
	w := t.write
	w.key = appendTopicKey(w.key[:0], e.Topic, e.Offset)
	w.del(w.key)
	if e.Key == "" {
		return nil
	}
	body, err := at.ValueAndErr()
	if err != nil {
		return err
	}
	return t.keep(e, body)
}

// keep lets a key's latest event live on as state. A tombstone does not.
func (t *trimming) keep(e *nave.Event, body []byte) error {
	past := past{log: t.log}
	newest, ok, err := past.stored(admit.KeyOf(e))
	if err != nil || !ok || newest.offset != e.Offset {
		return err
	}
	w := t.write
	w.key = appendLatestKey(w.key[:0], admit.KeyOf(e))
	if e.Tombstone() {
		w.del(w.key)
		return nil
	}
	w.value = appendLatest(w.value[:0], latest{kind: kept, offset: e.Offset, body: body})
	w.set(w.key, w.value)
	return nil
}

// commit announces what will be gone, and then lets it go.
func (t *trimming) commit() error {
	l, w := t.log, t.write
	for topic, offset := range t.horizons {
		w.offset(horizonKeys, string(topic), offset)
		w.change(horizonKeys, l.horizons.Raise(string(topic), offset))
	}
	w.note(w.batch.DeleteRange(appendEventKey(nil, t.from), appendEventKey(nil, t.to+1), nil))
	w.position(position{l.reserved, t.left.bytes, t.left.commits})
	if err := l.commit(w, pebble.NoSync); err != nil {
		return err
	}
	l.first = t.to + 1
	l.held.Store(&t.left)
	return nil
}

// trimMemory takes the oldest memory events. When a tombstone goes, so does what
// it removed on disk, or that would come back.
func (l *Log) trimMemory(now time.Time) (more bool, err error) {
	tombstones, more := l.memory.Trim(now, trimStep)
	w := l.newWrite()
	defer w.close()
	past := past{log: l}
	for i := range tombstones {
		k := admit.KeyOf(&tombstones[i])
		stored, ok, err := past.stored(k)
		if err != nil {
			return false, err
		}
		if ok && stored.offset < tombstones[i].Offset {
			w.del(appendLatestKey(nil, k))
		}
	}
	return more, l.commit(w, pebble.NoSync)
}

// sweep makes a step that takes expired idempotency keys, from where the step
// before has stopped.
func (l *Log) sweep() func(now time.Time) (bool, error) {
	from := []byte{idKeys}
	return func(now time.Time) (bool, error) {
		if len(from) == 1 && !l.lastSweep.IsZero() && now.Sub(l.lastSweep) < sweepEvery || l.tight() {
			return false, nil
		}
		l.lastSweep = now
		var err error
		from, err = l.sweepFrom(from, now)
		return from != nil, err
	}
}

// sweepFrom returns where to go on, nil at the end.
func (l *Log) sweepFrom(from []byte, now time.Time) ([]byte, error) {
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: []byte{idKeys + 1}})
	if err != nil {
		return nil, err
	}
	defer it.Close()
	w := l.newWrite()
	defer w.close()
	n := 0
	for it.First(); it.Valid(); it.Next() {
		if n++; n > sweepStep {
			return append([]byte(nil), it.Key()...), l.commit(w, pebble.NoSync)
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return nil, err
		}
		place, err := decodePlace(value)
		if err != nil {
			return nil, err
		}
		if !place.Expires.After(now) {
			w.del(it.Key())
		}
	}
	if err := it.Error(); err != nil {
		return nil, err
	}
	return nil, l.commit(w, pebble.NoSync)
}
