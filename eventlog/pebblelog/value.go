package pebblelog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog/internal/admit"
)

// Every value starts with the version of its encoding.
const encoding = 1

var errCorrupt = errors.New("the stored value is damaged")

// appendEvent encodes an event and the time of its commit. Its offset is in the
// key. The topic comes first, to be read without the rest.
func appendEvent(b []byte, e *nave.Event, commit time.Time) []byte {
	b = append(b, encoding)
	b = appendText(b, string(e.Topic))
	b = binary.AppendUvarint(b, uint64(e.Batch.I))
	b = binary.AppendUvarint(b, uint64(e.Batch.N))
	b = appendTime(b, commit)
	b = appendTime(b, e.Time)
	for _, s := range [...]string{e.Type, e.Key, e.ID, e.Source, e.TraceParent, e.TraceState} {
		b = appendText(b, s)
	}
	return append(b, e.Data...)
}

// decodeEvent is the opposite of appendEvent. Nothing of what it returns shares
// the value's memory.
func decodeEvent(value []byte, offset uint64) (e nave.Event, commit time.Time, err error) {
	d := decoder{rest: value}
	d.version()
	e.Offset = offset
	e.Topic = nave.Topic(d.text())
	e.Batch.I = d.count()
	e.Batch.N = d.count()
	commit = d.time()
	e.Time = d.time()
	for _, s := range [...]*string{&e.Type, &e.Key, &e.ID, &e.Source, &e.TraceParent, &e.TraceState} {
		*s = d.text()
	}
	if e.Batch.I >= e.Batch.N || uint64(e.Batch.I) >= offset {
		d.bad = true
	}
	if d.bad {
		return nave.Event{}, time.Time{}, fmt.Errorf("event at offset %d: %w", offset, errCorrupt)
	}
	if len(d.rest) > 0 {
		e.Data = append([]byte(nil), d.rest...)
	}
	return e, commit, nil
}

// topicOf is the topic in an encoded event, as part of the value's memory.
func topicOf(value []byte) ([]byte, error) {
	d := decoder{rest: value}
	d.version()
	topic := d.bytes()
	if d.bad {
		return nil, errCorrupt
	}
	return topic, nil
}

// A latest says what a key's newest event is.
type latest struct {
	kind   latestKind
	offset uint64
	body   []byte // the encoded event, if kept
}

type latestKind uint8

const (
	logged    latestKind = iota // the event is in the log
	tombstone                   // as logged; the event removes the key
	kept                        // the event has left the log and lives on here
)

func appendLatest(b []byte, l latest) []byte {
	b = append(b, encoding, byte(l.kind))
	b = binary.AppendUvarint(b, l.offset)
	return append(b, l.body...)
}

// decodeLatest is the opposite of appendLatest. The body is part of the value's
// memory.
func decodeLatest(value []byte) (latest, error) {
	d := decoder{rest: value}
	d.version()
	l := latest{kind: latestKind(d.byte()), offset: d.uint()}
	l.body = d.rest
	if d.bad || l.kind > kept || l.offset == 0 || (l.kind == kept) != (len(l.body) > 0) {
		return latest{}, fmt.Errorf("latest event of a key: %w", errCorrupt)
	}
	return l, nil
}

func appendPlace(b []byte, p admit.Place) []byte {
	b = append(b, encoding)
	b = appendTime(b, p.Expires)
	b = binary.AppendUvarint(b, p.First)
	b = binary.AppendUvarint(b, uint64(p.Batch.I))
	return binary.AppendUvarint(b, uint64(p.Batch.N))
}

func decodePlace(value []byte) (admit.Place, error) {
	d := decoder{rest: value}
	d.version()
	p := admit.Place{Expires: d.time(), First: d.uint(), Batch: nave.Position{I: d.count(), N: d.count()}}
	if d.bad || len(d.rest) > 0 {
		return admit.Place{}, fmt.Errorf("idempotency key: %w", errCorrupt)
	}
	return p, nil
}

// A position is what the log has to know of itself, in every commit.
type position struct {
	reserved uint64 // no offset above was ever handed out
	bytes    int64  // of the durable events in the log
	commits  uint64 // that publishers waited for
}

func appendPosition(b []byte, p position) []byte {
	b = append(b, encoding)
	b = binary.AppendUvarint(b, p.reserved)
	b = binary.AppendUvarint(b, uint64(p.bytes))
	return binary.AppendUvarint(b, p.commits)
}

func decodePosition(value []byte) (position, error) {
	d := decoder{rest: value}
	d.version()
	p := position{reserved: d.uint(), bytes: int64(d.uint()), commits: d.uint()}
	if d.bad || len(d.rest) > 0 || p.bytes < 0 {
		return position{}, fmt.Errorf("position of the log: %w", errCorrupt)
	}
	return p, nil
}
