// Package frame turns a committed event into the bytes that clients receive,
// once for all of them.
//
// A Frame is immutable and shared by every client that follows its event. What
// differs from client to client is only whether the frame is the last of its
// batch there, and so carries the cursor; see [Frame.AppendPieces].
package frame

import (
	"encoding/json"
	"iter"
	"strconv"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/telemetry"
)

// A Format is how a stream is written.
type Format uint8

const (
	// SSE is text/event-stream.
	SSE Format = iota
	// NDJSON is one JSON object a line.
	NDJSON
)

// String is the name used in metrics and by the registry.
func (f Format) String() string {
	if f == NDJSON {
		return "ndjson"
	}
	return "sse"
}

// A Frame is one event, formatted.
type Frame struct {
	// Event is what was committed. Its Data aliases the frame's buffer: read only.
	Event nave.Event
	// Accepted is when the hub accepted the event; propagation counts from it.
	Accepted time.Time
	// Fanout gathers the deliveries of a sampled batch; nil for others.
	Fanout *telemetry.Fanout

	// buf is the whole SSE block: event line, data line, id line, empty line.
	buf    []byte
	json   []byte // the object on the data line
	idAt   int    // where the id line starts; what is before it is the body
	cursor []byte // the id line's value; nil for a transient event
}

// New formats a committed event of the log named epoch.
func New(epoch nave.Epoch, e nave.Event, accepted time.Time) *Frame {
	f := &Frame{Accepted: accepted}
	b := make([]byte, 0, 160+len(e.Topic)+len(e.Type)+len(e.Key)+len(e.ID)+len(e.Source)+len(e.Data))
	b = append(b, "event: "...)
	b = append(b, e.Type...)
	b = append(b, "\ndata: "...)
	jsonAt := len(b)
	b, dataAt := appendBody(b, &e)
	jsonEnd := len(b)
	b = append(b, '\n')
	f.idAt = len(b)
	var cursorAt, cursorEnd int
	if e.Offset > 0 {
		b = append(b, "id: "...)
		cursorAt = len(b)
		b = nave.Cursor{Epoch: epoch, Offset: e.Offset}.AppendText(b)
		cursorEnd = len(b)
		b = append(b, '\n')
	}
	b = append(b, '\n')
	f.buf, f.json = b, b[jsonAt:jsonEnd:jsonEnd]
	f.cursor = b[cursorAt:cursorEnd:cursorEnd]
	if dataAt > 0 {
		e.Data = b[dataAt : jsonEnd-1 : jsonEnd-1]
	}
	f.Event = e
	return f
}

// Size is how many bytes the frame takes on the wire, roughly.
func (f *Frame) Size() int { return len(f.buf) }

// Memory is what the frame keeps in memory, in bytes, roughly.
func (f *Frame) Memory() int {
	const fixed = 320 // struct and slice headers
	return fixed + cap(f.buf)
}

// Sampled reports whether a W3C traceparent has the sampled flag.
func Sampled(traceparent string) bool {
	const flagsAt = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-")
	if len(traceparent) < flagsAt+2 {
		return false
	}
	flags, err := strconv.ParseUint(traceparent[flagsAt:flagsAt+2], 16, 8)
	return err == nil && flags&1 == 1
}

// SameBatch reports whether two adjacent frames of one client belong to one
// batch, so that the first must not carry the cursor.
func SameBatch(a, b *Frame) bool {
	return a.Event.Offset > 0 && b.Event.Offset > 0 &&
		a.Event.Offset-uint64(a.Event.Batch.I) == b.Event.Offset-uint64(b.Event.Batch.I)
}

// Fanouts yields what gathers the deliveries of the sampled batches among
// frames, once for each batch.
func Fanouts(frames []*Frame) iter.Seq[*telemetry.Fanout] {
	return func(yield func(*telemetry.Fanout) bool) {
		var last *telemetry.Fanout
		for _, f := range frames {
			if f.Fanout == last || f.Fanout == nil {
				continue
			}
			last = f.Fanout
			if !yield(last) {
				return
			}
		}
	}
}

var (
	newline    = []byte("\n")
	ndjsonType = []byte(`{"type":`)
)

// AppendPieces appends the frame's bytes to pieces without copying them. last
// says whether the client gets no further frame of this batch: then, and only
// then, the cursor goes with it, so that no reconnect can split the batch.
func (f *Frame) AppendPieces(pieces [][]byte, format Format, last bool) [][]byte {
	switch {
	case format == NDJSON:
		return append(pieces, f.line(last), newline)
	case last:
		return append(pieces, f.buf)
	default:
		return append(pieces, f.buf[:f.idAt], newline)
	}
}

// line is the frame as one JSON object, with its type and, if asked for, its cursor.
func (f *Frame) line(cursor bool) []byte {
	b := make([]byte, 0, len(f.buf)+len(`"cursor":"",`))
	b = append(b, ndjsonType...)
	b = appendString(b, f.Event.Type)
	b = append(b, ',')
	if cursor && len(f.cursor) > 0 {
		b = append(b, `"cursor":"`...)
		b = append(b, f.cursor...)
		b = append(b, `",`...)
	}
	return append(b, f.json[1:]...)
}

// JSON is the frame as one JSON object with its type, as pages hold it.
func (f *Frame) JSON() json.RawMessage { return f.line(false) }

// appendBody appends the JSON object of the data line and returns where in b
// the event's data starts, 0 if it has none. Data comes last.
func appendBody(b []byte, e *nave.Event) ([]byte, int) {
	b = append(b, `{"topic":`...)
	b = appendString(b, string(e.Topic))
	b = appendMember(b, `,"key":`, e.Key)
	if e.Key != "" && e.Offset > 0 {
		b = append(b, `,"version":`...)
		b = strconv.AppendUint(b, e.Version(), 10)
	}
	if e.Offset > 0 {
		b = append(b, `,"offset":`...)
		b = strconv.AppendUint(b, e.Offset, 10)
	}
	if !e.Time.IsZero() {
		b = append(b, `,"time":"`...)
		b = e.Time.UTC().AppendFormat(b, time.RFC3339Nano)
		b = append(b, '"')
	}
	b = appendMember(b, `,"id":`, e.ID)
	b = appendMember(b, `,"source":`, e.Source)
	if e.Batch.N > 1 {
		b = append(b, `,"batch":{"i":`...)
		b = strconv.AppendInt(b, int64(e.Batch.I), 10)
		b = append(b, `,"n":`...)
		b = strconv.AppendInt(b, int64(e.Batch.N), 10)
		b = append(b, '}')
	}
	if Sampled(e.TraceParent) {
		b = appendMember(b, `,"traceparent":`, e.TraceParent)
	}
	dataAt := 0
	if len(e.Data) > 0 {
		b = append(b, `,"data":`...)
		dataAt = len(b)
		b = append(b, e.Data...)
	}
	return append(b, '}'), dataAt
}

func appendMember(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, name...)
	return appendString(b, value)
}

// appendString appends s as a JSON string; most need no escaping.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string always marshals
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
