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
	// To are the connections that it is for; nil is all that follow the topic.
	To []uint64

	body  []byte // event line and data line of the SSE block
	end   []byte // id line and empty line; a transient event has no id line
	sheet *sheet
}

// A sheet is what some neighbouring frames share, side by side in one buffer, so
// that they can be written as one piece.
type sheet struct{ bytes int }

// sheetBytes bounds a sheet: who keeps one of its frames keeps all of it.
const sheetBytes = 16 << 10

// New formats a committed event of the log named epoch.
func New(epoch nave.Epoch, e nave.Event, accepted time.Time) *Frame {
	f := All(epoch, []nave.Event{e})[0]
	f.Accepted = accepted
	return f
}

// All formats committed events that follow each other in the log named epoch.
func All(epoch nave.Epoch, events []nave.Event) []*Frame {
	frames := make([]*Frame, 0, len(events))
	for len(events) > 0 {
		n, size := 1, roughly(&events[0])
		for ; n < len(events); n++ {
			more := roughly(&events[n])
			if size+more > sheetBytes {
				break
			}
			size += more
		}
		frames = appendSheet(frames, epoch, events[:n], size)
		events = events[n:]
	}
	return frames
}

// roughly is how many bytes the event takes, unless much of it has to be escaped.
func roughly(e *nave.Event) int {
	return 160 + len(e.Topic) + len(e.Type) + len(e.Key) + len(e.ID) + len(e.Source) + len(e.Data)
}

func appendSheet(frames []*Frame, epoch nave.Epoch, events []nave.Event, size int) []*Frame {
	all := make([]Frame, len(events))
	b, ids, shared := make([]byte, 0, size), []byte(nil), new(sheet)
	for i := range events {
		f := &all[i]
		f.sheet = shared
		// A buffer that grows leaves the frames before in the old one: that is
		// good as it is.
		b, ids = f.format(b, ids, epoch, events[i])
		frames = append(frames, f)
	}
	shared.bytes = cap(b) + cap(ids)
	return frames
}

// format appends the event to b. An id line that most clients do without, since
// more of the batch follows, is appended to ids instead.
func (f *Frame) format(b, ids []byte, epoch nave.Epoch, e nave.Event) (_, _ []byte) {
	start := len(b)
	b = append(b, "event: "...)
	b = append(b, e.Type...)
	b = append(b, "\ndata: "...)
	b, dataAt := appendBody(b, &e)
	if dataAt > 0 {
		e.Data = b[dataAt : len(b)-1 : len(b)-1]
	}
	b = append(b, '\n')
	f.Event = e
	if f.inside() {
		at := len(ids)
		ids = appendEnd(ids, epoch, &e)
		f.end = ids[at:]
		b = append(b, '\n') // of those who get more of the batch
		f.body = b[start : len(b)-1]
		return b, ids
	}
	at := len(b)
	b = appendEnd(b, epoch, &e)
	f.body, f.end = b[start:at], b[at:]
	return b, ids
}

// inside reports whether more of the event's batch follows it in the log.
func (f *Frame) inside() bool { return f.Event.Offset > 0 && f.Event.Batch.I+1 < f.Event.Batch.N }

func appendEnd(b []byte, epoch nave.Epoch, e *nave.Event) []byte {
	if e.Offset > 0 {
		b = append(b, "id: "...)
		b = nave.Cursor{Epoch: epoch, Offset: e.Offset}.AppendText(b)
		b = append(b, '\n')
	}
	return append(b, '\n')
}

// object is the JSON object on the data line.
func (f *Frame) object() []byte {
	return f.body[len("event: \ndata: ")+len(f.Event.Type) : len(f.body)-len("\n")]
}

// cursor is the id line's value; nil for a transient event.
func (f *Frame) cursor() []byte {
	if f.Event.Offset == 0 {
		return nil
	}
	return f.end[len("id: ") : len(f.end)-len("\n\n")]
}

// Size is how many bytes the frame takes on the wire, roughly.
func (f *Frame) Size() int { return len(f.body) + len(f.end) }

// Memory is what the frame takes in memory, in bytes, roughly.
func (f *Frame) Memory() int {
	const fixed = 320 // struct and slice headers
	return fixed + f.Size()
}

// Kept is how many bytes of text the frames keep in memory, with those of others
// that they share sheets with.
func Kept(frames []*Frame) (bytes int) {
	var last *sheet
	for _, f := range frames {
		if f.sheet != last {
			last = f.sheet
			bytes += last.bytes
		}
	}
	return bytes
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

// AppendPieces appends the frame's bytes to pieces without copying them; what
// lies side by side in memory becomes one piece. last says whether the client
// gets no further frame of this batch: then, and only then, the cursor goes with
// it, so that no reconnect can split the batch.
func (f *Frame) AppendPieces(pieces [][]byte, format Format, last bool) [][]byte {
	switch {
	case format == NDJSON:
		return append(pieces, f.line(last), newline)
	case last:
		return lay(lay(pieces, f.body), f.end)
	case f.inside():
		return lay(pieces, f.body[:len(f.body)+len(newline)]) // the empty line is there
	default:
		return append(lay(pieces, f.body), newline)
	}
}

// lay appends a piece, to the one before if that ends where this one begins.
func lay(pieces [][]byte, p []byte) [][]byte {
	if n := len(pieces); n > 0 {
		before := pieces[n-1]
		if end := len(before); cap(before) >= end+len(p) && &before[:end+1][end] == &p[0] {
			pieces[n-1] = before[:end+len(p)]
			return pieces
		}
	}
	return append(pieces, p)
}

// line is the frame as one JSON object, with its type and, if asked for, its cursor.
func (f *Frame) line(withCursor bool) []byte {
	b := make([]byte, 0, f.Size()+len(`"cursor":"",`))
	b = append(b, ndjsonType...)
	b = appendString(b, f.Event.Type)
	b = append(b, ',')
	if cursor := f.cursor(); withCursor && len(cursor) > 0 {
		b = append(b, `"cursor":"`...)
		b = append(b, cursor...)
		b = append(b, `",`...)
	}
	return append(b, f.object()[1:]...)
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
