package pebblelog

import (
	"context"

	"github.com/cockroachdb/pebble/v2"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/internal/page"
)

// Read returns a page; see [eventlog.Log].
func (l *Log) Read(ctx context.Context, after uint64, filters nave.Filters, limit eventlog.Limit) (eventlog.Page, error) {
	if err := l.enter(ctx); err != nil {
		return eventlog.Page{}, err
	}
	defer l.leave()
	head := l.Head()
	if after > head {
		return eventlog.Page{}, &nave.ResetError{Reason: nave.ResetAhead}
	}
	durable, err := l.readDurable(ctx, stretch{after, head}, filters, limit)
	if err != nil {
		return eventlog.Page{}, l.unreadable(err)
	}
	memory := l.memory.Read(after, head, filters, limit)
	// Trim announces what it takes before it does, so ask after reading.
	if !l.allows(after, filters) {
		return eventlog.Page{}, &nave.ResetError{Reason: nave.ResetRetention}
	}
	return page.Merge(durable, memory, limit), nil
}

// A stretch of the log: the offsets in (after, upTo].
type stretch struct{ after, upTo uint64 }

func (s stretch) bounds() *pebble.IterOptions {
	return &pebble.IterOptions{
		LowerBound: appendEventKey(nil, s.after+1),
		UpperBound: appendEventKey(nil, s.upTo+1),
	}
}

func (l *Log) readDurable(ctx context.Context, s stretch, filters nave.Filters, limit eventlog.Limit) (eventlog.Page, error) {
	b := page.NewBuilder(limit)
	if s.after == s.upTo {
		return b.Page(s.upTo), nil
	}
	index, err := l.iterate([]byte{topicKeys})
	if err != nil {
		return eventlog.Page{}, err
	}
	defer index.Close()
	// A clone sees the same moment.
	events, err := index.Clone(pebble.CloneOptions{IterOptions: s.bounds()})
	if err != nil {
		return eventlog.Page{}, err
	}
	defer events.Close()

	topics, few, err := follow(index, filters)
	switch {
	case err != nil:
	case few:
		err = l.readTopics(ctx, b, newMerger(index, topics, s, limit), events)
	default:
		err = l.readAll(ctx, b, events, filters)
	}
	return b.Page(s.upTo), err
}

// checkEvery is how many events are read before the context is looked at.
const checkEvery = 1024

// readAll goes through the events in order.
func (l *Log) readAll(ctx context.Context, b *page.Builder, events *pebble.Iterator, filters nave.Filters) error {
	n := 0
	for events.First(); events.Valid(); events.Next() {
		if n++; n%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		l.valuesRead.Add(1)
		value, err := events.ValueAndErr()
		if err != nil {
			return err
		}
		topic, err := topicOf(value)
		if err != nil {
			return err
		}
		if !filters.Match(nave.Topic(topic)) {
			continue
		}
		e, _, err := readEvent(events)
		if err != nil {
			return err
		}
		if !b.Add(e) {
			return nil
		}
	}
	return events.Error()
}

// readTopics goes through the topics' events only.
func (l *Log) readTopics(ctx context.Context, b *page.Builder, offsets *merger, events *pebble.Iterator) error {
	var key []byte
	for {
		offset, ok, err := offsets.next()
		if !ok || err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		l.valuesRead.Add(1)
		key = appendEventKey(key[:0], offset)
		e, err := seekEvent(events, key, offset)
		if err != nil {
			return err
		}
		if !b.Add(e) {
			return nil
		}
	}
}
