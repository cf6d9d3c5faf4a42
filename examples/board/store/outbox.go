package store

import (
	"context"
	"encoding/json"
	"time"
)

// maxOutbox is how many transactions may wait to be announced: hours of a hub that
// is down, for a board of this size.
const maxOutbox = 10_000

// An Event announces a change.
type Event struct {
	Topic string          `json:"topic"`
	Type  string          `json:"type"`
	Key   string          `json:"key"`
	Data  json.RawMessage `json:"data,omitempty"` // none of what has been deleted
}

// A Batch is what one transaction announces.
type Batch struct {
	ID     int64 // rises with the order of transactions
	At     time.Time
	Events []Event
}

// announce puts it into the outbox, if the transaction is committed. Nil data is of
// what has been deleted.
func (t *tx) announce(topic, kind, key string, data any) error {
	e := Event{Topic: topic, Type: kind, Key: key}
	if data != nil {
		text, err := json.Marshal(data)
		if err != nil {
			return err
		}
		e.Data = text
	}
	t.events = append(t.events, e)
	return nil
}

func (t *tx) putOutbox() error {
	var waiting int
	// Not count(*), which reads all of an outbox that is long because the hub is down.
	err := t.get(`SELECT coalesce((SELECT max(id) FROM outbox) - (SELECT min(id) FROM outbox) + 1, 0)`).Scan(&waiting)
	if err != nil {
		return err
	}
	if waiting >= maxOutbox {
		return ErrFull
	}
	text, err := json.Marshal(t.events)
	if err != nil {
		return err
	}
	return t.do(`INSERT INTO outbox (at, events) VALUES (?, ?)`, t.now.UnixMilli(), string(text))
}

// Waiting are the first transactions of the outbox after the one of an id, oldest
// first, at most so many.
func (s *Store) Waiting(ctx context.Context, after int64, most int) ([]Batch, error) {
	return all(ctx, s.read, scanBatch, `SELECT id, at, events FROM outbox WHERE id > ? ORDER BY id LIMIT ?`, after, most)
}

func scanBatch(r row) (b Batch, err error) {
	var at int64
	var text []byte
	if err := r.Scan(&b.ID, &at, &text); err != nil {
		return Batch{}, err
	}
	b.At = time.UnixMilli(at).UTC()
	return b, json.Unmarshal(text, &b.Events)
}

// Announced takes transactions out of the outbox, up to and including the one of
// the id.
func (s *Store) Announced(ctx context.Context, id int64) error {
	return s.change(ctx, func(t *tx) error { return t.do(`DELETE FROM outbox WHERE id <= ?`, id) })
}
