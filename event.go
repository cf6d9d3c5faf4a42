package nave

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of an event's short fields, in bytes. Data is bounded by the hub's
// configuration instead.
const (
	MaxTopicBytes  = 255
	MaxTypeBytes   = 255
	MaxKeyBytes    = 255
	MaxIDBytes     = 255
	MaxSourceBytes = 255
)

// Bounds of the trace context. Version 00 of traceparent has 55 bytes, later ones
// may have more; of tracestate, 512 bytes are what everybody must pass on.
const (
	maxTraceParentBytes = 128
	maxTraceStateBytes  = 512
)

// MaxDataDepth is how deep data may be nested. Parsers of many languages give up at
// 512 levels or at 1000: one event beyond would make the page and the state that it
// is in unreadable.
const MaxDataDepth = 500

// An Event is one thing that happened.
//
// The first group of fields is the publisher's. Offset and Batch are set by the
// log when the event is committed and are zero before.
type Event struct {
	Topic Topic
	// Type says what happened, as in "card.moved". Names starting with "hub."
	// are the hub's own.
	Type string
	// Key is the entity within the topic that the event is about. The latest
	// event of each (topic, key) is that key's state. Empty means none.
	Key string
	// Data is one JSON value. Absent or null data on a keyed event removes the
	// key: its state and its version end with the event's retention.
	Data json.RawMessage
	// ID and Source name the event for idempotency: the same pair within the
	// window is stored once. An event without ID is never a repeat.
	ID, Source string
	// Time is when it happened: the publisher's word, else the hub's clock.
	Time time.Time
	// TraceParent and TraceState are the W3C trace context that the event was
	// created in. TraceParent is empty when there was none.
	TraceParent, TraceState string
	// IfVersion makes the publish conditional: it commits only if the key still
	// has this version. Nil means unconditional, 0 that the key must not exist.
	// It is a condition of the publish, not part of what is stored.
	IfVersion *uint64

	// Offset is the event's place in the total order; 0 for a transient event.
	Offset uint64
	// Batch is the event's place in its batch.
	Batch Position
}

// Position is an event's place in its batch: the I-th of N, counted from 0.
type Position struct{ I, N int }

// Version is the version that this event gave its key: its offset, or 0 for an
// event without key.
func (e *Event) Version() uint64 {
	if e.Key == "" {
		return 0
	}
	return e.Offset
}

// Tombstone reports whether the event removes its key.
func (e *Event) Tombstone() bool {
	return e.Key != "" && (len(e.Data) == 0 || string(e.Data) == "null")
}

// Size is what the event costs in memory and on disk, in bytes, roughly.
func (e *Event) Size() int {
	const fixed = 128 // struct, offsets, index entries
	return fixed + len(e.Topic) + len(e.Type) + len(e.Key) + len(e.Data) +
		len(e.ID) + len(e.Source) + len(e.TraceParent) + len(e.TraceState)
}

// Validate checks what a publisher sent. It puts Data into compact form, on one
// line, in memory of its own, and drops a null and a broken trace context. The
// error has [CodeInvalid] and names the field.
func (e *Event) Validate() error {
	if _, err := ParseTopic(string(e.Topic)); err != nil {
		return err
	}
	if e.Topic.Reserved() {
		return Errorf(CodeInvalid, "topic %q: topics starting with $ belong to the hub", e.Topic)
	}
	if e.Type == "" {
		return Errorf(CodeInvalid, "type is missing: say what happened, as in \"card.moved\"")
	}
	if strings.HasPrefix(e.Type, "hub.") {
		return Errorf(CodeInvalid, "type %q: types starting with \"hub.\" belong to the hub", e.Type)
	}
	if e.Type == "error" || e.Type == "open" {
		return Errorf(CodeInvalid, "type %q: a browser's EventSource means something else by it; say what happened, as in \"card.%s\"", e.Type, e.Type)
	}
	for _, f := range []struct {
		name, value string
		limit       int
	}{
		{"type", e.Type, MaxTypeBytes},
		{"key", e.Key, MaxKeyBytes},
		{"id", e.ID, MaxIDBytes},
		{"source", e.Source, MaxSourceBytes},
	} {
		if err := checkText(f.name, f.value, f.limit); err != nil {
			return err
		}
	}
	if e.IfVersion != nil && e.Key == "" {
		return Errorf(CodeInvalid, "ifVersion needs a key: versions belong to keys")
	}
	if year := e.Time.UTC().Year(); year < 0 || year > 9999 {
		return Errorf(CodeInvalid, "time is in the year %d, which RFC 3339 cannot say", year)
	}
	e.dropBrokenTrace()
	return e.compactData()
}

// dropBrokenTrace drops what cannot be passed on. W3C Trace Context asks that a
// broken traceparent take its tracestate with it, and stop nothing.
func (e *Event) dropBrokenTrace() {
	if checkText("traceparent", e.TraceParent, maxTraceParentBytes) != nil {
		e.TraceParent = ""
	}
	if e.TraceParent == "" || checkText("tracestate", e.TraceState, maxTraceStateBytes) != nil {
		e.TraceState = ""
	}
}

func (e *Event) compactData() error {
	if len(e.Data) == 0 {
		e.Data = nil
		return nil
	}
	if !utf8.Valid(e.Data) {
		return Errorf(CodeInvalid, "data is not valid UTF-8")
	}
	var buf bytes.Buffer
	buf.Grow(len(e.Data))
	if err := json.Compact(&buf, e.Data); err != nil {
		return Errorf(CodeInvalid, "data is not valid JSON: %v", err)
	}
	e.Data = buf.Bytes()
	if tooDeep(e.Data) {
		return Errorf(CodeInvalid, "data is nested more than %d levels deep", MaxDataDepth)
	}
	if string(e.Data) == "null" {
		e.Data = nil
	}
	return nil
}

// tooDeep expects valid JSON. Most has so few brackets that it need not be read.
func tooDeep(data []byte) bool {
	if bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) <= MaxDataDepth {
		return false
	}
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			if depth++; depth > MaxDataDepth {
				return true
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return false
}

// checkText refuses what could not be shown on one line: control characters
// (which carry CR, LF and NUL), line separators, and broken UTF-8.
func checkText(name, s string, limit int) error {
	if len(s) > limit {
		return Errorf(CodeInvalid, "%s is %d bytes long; at most %d are allowed", name, len(s), limit)
	}
	if !utf8.ValidString(s) {
		return Errorf(CodeInvalid, "%s is not valid UTF-8", name)
	}
	for i, r := range s {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return Errorf(CodeInvalid, "%s has a control character (%U) at byte %d", name, r, i)
		}
	}
	return nil
}
