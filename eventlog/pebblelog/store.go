package pebblelog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog/internal/horizon"
)

// get returns a copy of a value, nil if there is none.
func (l *Log) get(key []byte) ([]byte, error) { return get(l.db, key) }

func get(r pebble.Reader, key []byte) ([]byte, error) {
	value, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return bytes.Clone(value), nil
}

// getEvent reads the event at the offset, which must be there.
func getEvent(r pebble.Reader, offset uint64) (nave.Event, error) {
	value, closer, err := r.Get(appendEventKey(nil, offset))
	if errors.Is(err, pebble.ErrNotFound) {
		return nave.Event{}, fmt.Errorf("event at offset %d is missing: %w", offset, errCorrupt)
	}
	if err != nil {
		return nave.Event{}, err
	}
	defer closer.Close()
	e, _, err := decodeEvent(value, offset)
	return e, err
}

// iterate goes through the keys that start with the prefix, as they are now.
func (l *Log) iterate(prefix []byte) (*pebble.Iterator, error) {
	return l.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
}

// readEvent decodes the event that the iterator is at.
func readEvent(it *pebble.Iterator) (nave.Event, time.Time, error) {
	offset, ok := eventKeyOffset(it.Key())
	if !ok {
		return nave.Event{}, time.Time{}, fmt.Errorf("key %q: %w", it.Key(), errCorrupt)
	}
	value, err := it.ValueAndErr()
	if err != nil {
		return nave.Event{}, time.Time{}, err
	}
	return decodeEvent(value, offset)
}

func readCommit(it *pebble.Iterator) (offset uint64, commit time.Time, err error) {
	e, commit, err := readEvent(it)
	return e.Offset, commit, err
}

// eachOffset goes through the names of a kind that have an offset.
func (l *Log) eachOffset(kind byte, do func(name string, offset uint64)) error {
	it, err := l.iterate([]byte{kind})
	if err != nil {
		return err
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		offset, n := binary.Uvarint(value)
		if n != len(value) || n <= 0 {
			return fmt.Errorf("key %q: %w", it.Key(), errCorrupt)
		}
		do(string(it.Key()[1:]), offset)
	}
	return it.Error()
}

// A write is what one commit changes. Its first error is that of the commit.
type write struct {
	batch      *pebble.Batch
	key, value []byte // reused from one record to the next
	reserved   bool   // offsets, which the position has to say
	err        error
}

func (l *Log) newWrite() *write { return &write{batch: l.db.NewBatch()} }

func (w *write) close() { w.batch.Close() }

func (w *write) empty() bool { return w.batch.Empty() }

func (w *write) set(key, value []byte) { w.note(w.batch.Set(key, value, nil)) }

func (w *write) del(key []byte) { w.note(w.batch.Delete(key, nil)) }

func (w *write) note(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *write) position(p position) {
	w.value = appendPosition(w.value[:0], p)
	w.set(positionKey, w.value)
}

func (w *write) offset(kind byte, name string, offset uint64) {
	w.key = appendNameKey(w.key[:0], kind, name)
	w.value = binary.AppendUvarint(w.value[:0], offset)
	w.set(w.key, w.value)
}

// change keeps on disk what a raise did to a horizon.Map.
func (w *write) change(kind byte, c horizon.Change) {
	if len(c.Dropped) == 0 {
		return
	}
	w.offset(kind, "", c.Floor)
	for _, name := range c.Dropped {
		w.key = appendNameKey(w.key[:0], kind, name)
		w.del(w.key)
	}
}

// commit applies the write. An error breaks the log.
func (l *Log) commit(w *write, o *pebble.WriteOptions) error {
	if w.err != nil {
		return l.breaks(w.err)
	}
	if w.empty() {
		return nil
	}
	if err := l.db.Apply(w.batch, o); err != nil {
		return l.breaks(err)
	}
	// Pebble is not told of a failed write: failStop is.
	return l.broken()
}
