package sse

import "time"

// MediaType is the stream's Content-Type.
const MediaType = "text/event-stream"

// End is the blank line that ends an event.
//
// [spec] If the line is empty (a blank line): Dispatch the event.
const End = "\n"

// An Event is one message of a stream.
type Event struct {
	// ID becomes the reader's last event ID, which an EventSource sends as
	// Last-Event-ID when it reconnects. An event with an empty ID has no id line
	// and leaves the last event ID as it is; see ClearID.
	ID string
	// ClearID is an id line without a value: the reader forgets its last event
	// ID. It counts only if ID is empty.
	ClearID bool
	// Name is the event's type. Empty means none, which an EventSource
	// dispatches as "message".
	Name string
	// Data is the message. Line ends in it are LF when it has been read.
	Data []byte
	// Retry is the reconnection time asked for, in whole milliseconds; 0 for
	// none.
	Retry time.Duration
}
