package spoke

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/sse"
)

// An Event is what the hub delivers.
type Event struct {
	nave.Event
	// JSON is the event as it was received: an object, without the type but for one
	// that comes with a [Conflict].
	JSON json.RawMessage
}

// A Batch is what has become final together: events that were published together, as
// far as they were asked for, or a snapshot.
type Batch struct {
	Events []Event
	// Cursor is where to go on after it; "" for a transient event, which has no place
	// in the order.
	Cursor string
	// Snapshot says that the events are the latest of every key: they take the place of
	// whatever was known before.
	Snapshot bool
}

// wire is an event as it is written in a stream or a page.
type wire struct {
	Type        string             `json:"type"`
	Topic       nave.Topic         `json:"topic"`
	Key         string             `json:"key"`
	Offset      uint64             `json:"offset"`
	Time        time.Time          `json:"time"`
	ID          string             `json:"id"`
	Source      string             `json:"source"`
	Batch       struct{ I, N int } `json:"batch"`
	TraceParent string             `json:"traceparent"`
	Data        json.RawMessage    `json:"data"`
}

// UnmarshalJSON reads an event of a page.
func (e *Event) UnmarshalJSON(text []byte) error {
	var w wire
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	w.Batch.N = max(w.Batch.N, 1) // what was published alone
	*e = Event{Event: nave.Event{
		Topic: w.Topic, Type: w.Type, Key: w.Key, Data: w.Data, ID: w.ID, Source: w.Source,
		Time: w.Time, TraceParent: w.TraceParent, Offset: w.Offset, Batch: nave.Position(w.Batch),
	}, JSON: append(json.RawMessage(nil), text...)}
	return nil
}

// withoutType is the JSON of a page's event as a stream has it.
func withoutType(text json.RawMessage) json.RawMessage {
	if !bytes.HasPrefix(text, []byte(`{"type":`)) {
		return text
	}
	d := json.NewDecoder(bytes.NewReader(text))
	for range 3 { // {, "type" and the type
		if _, err := d.Token(); err != nil {
			return text
		}
	}
	rest := bytes.TrimPrefix(text[d.InputOffset():], []byte(","))
	return append(json.RawMessage{'{'}, rest...)
}

// eventOf reads an event of a stream. What is no JSON object is kept as data.
func eventOf(e sse.Event) Event {
	var got Event
	if err := json.Unmarshal(e.Data, &got); err != nil {
		got = Event{Event: nave.Event{Data: e.Data}, JSON: e.Data}
	}
	got.Type = e.Name
	return got
}
