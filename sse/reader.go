package sse

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"time"
)

// DefaultMaxEventBytes is what [Reader.MaxEventBytes] defaults to.
const DefaultMaxEventBytes = 16 << 20

// ErrTooLarge ends a stream with an event, or a line, over the limit.
var ErrTooLarge = errors.New("sse: event is over the reader's limit")

// A Reader reads the events of one stream. Make one with [NewReader] for every
// connection.
type Reader struct {
	// MaxEventBytes is how large an event, or any line, may be; more ends the
	// stream with [ErrTooLarge]. It is read by every Next.
	//
	// Defaults to DefaultMaxEventBytes.
	MaxEventBytes int

	lines lines
	first bool // nothing has been read yet

	// The event that is being read.
	//
	// [spec] When a stream is parsed, a data buffer, an event type buffer, and a
	// last event ID buffer must be associated with it.
	event  Event // without Data
	data   []byte
	lastID string

	// What has been dispatched, or taken effect.
	lastEventID string
	retry       time.Duration
	hasRetry    bool
}

// NewReader makes a Reader of src.
func NewReader(src io.Reader) *Reader {
	return &Reader{lines: lines{src: src}, first: true}
}

// Next gives the next event, which is the caller's to keep. It does not wait for
// a byte more than the blank line that ends the event. At the end of the stream
// it answers [io.EOF]; an event that the stream breaks off in is dropped. Any
// error is final.
func (r *Reader) Next() (Event, error) {
	for {
		line, err := r.lines.next(r.budget())
		if err != nil {
			return Event{}, err
		}
		if r.first {
			r.first = false
			// [spec] The UTF-8 decode algorithm strips one leading UTF-8 Byte
			// Order Mark (BOM), if any.
			line = bytes.TrimPrefix(line, []byte("\uFEFF"))
		}
		if len(line) > 0 {
			r.field(line)
		} else if e, ok := r.dispatch(); ok {
			return e, nil
		}
	}
}

// LastEventID is the stream's last event ID: what a client sends to resume. It
// includes ids that came without an event, and outlives events without id.
//
// [spec] The buffer does not get reset, so the last event ID string of the event
// source remains set to this value until the next time it is set by the server.
func (r *Reader) LastEventID() string { return r.lastEventID }

// Retry is the stream's reconnection time, and whether it has set one.
func (r *Reader) Retry() (time.Duration, bool) { return r.retry, r.hasRetry }

// budget is how much the next line may add to the event.
func (r *Reader) budget() int {
	limit := r.MaxEventBytes
	if limit <= 0 {
		limit = DefaultMaxEventBytes
	}
	return max(0, limit-len(r.data)-len(r.event.Name)-len(r.lastID))
}

func (r *Reader) field(line []byte) {
	// [spec] Otherwise, the string is not empty but does not contain a U+003A
	// COLON character (:): Process the field [...] using the whole line as the
	// field name, and the empty string as the field value.
	name, value, _ := bytes.Cut(line, []byte{':'})
	value = bytes.TrimPrefix(value, []byte{' '})
	switch string(name) {
	case "data":
		value = decode(value)
		r.data = slices.Grow(r.data, len(value)+1)
		r.data = append(append(r.data, value...), '\n')
	case "event":
		r.event.Name = string(decode(value))
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			r.lastID = string(decode(value))
			r.event.ID, r.event.ClearID = r.lastID, r.lastID == ""
		}
	case "retry":
		if d, ok := parseRetry(value); ok {
			r.event.Retry = d
			r.retry, r.hasRetry = d, true
		}
	}
	// [spec] Otherwise: The field is ignored.
	//
	// So is a comment, which looks like a field without name.
}

// dispatch ends the event and reports whether there is one to give.
func (r *Reader) dispatch() (Event, bool) {
	e, data := r.event, r.data
	r.event, r.data = Event{}, nil
	r.lastEventID = r.lastID
	// [spec] If the data buffer is an empty string, set the data buffer and the
	// event type buffer to the empty string and return.
	if len(data) == 0 {
		return Event{}, false
	}
	// [spec] If the data buffer's last character is a U+000A LINE FEED (LF)
	// character, then remove the last character from the data buffer.
	e.Data = data[:len(data)-1]
	return e, true
}

// parseRetry reads a reconnection time. One that is too long for a Duration is
// the longest that is not.
//
// [spec] If the field value consists of only ASCII digits, then interpret the
// field value as an integer in base ten, and set the event stream's reconnection
// time to that integer. Otherwise, ignore the field.
func parseRetry(value []byte) (time.Duration, bool) {
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	const longest = math.MaxInt64 / int64(time.Millisecond)
	ms, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil && len(value) > 0 || ms > longest {
		ms = longest
	}
	return time.Duration(ms) * time.Millisecond, len(value) > 0
}
