package sse

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrUnwritable is wrapped by the errors of values that no reader would get as
// they are.
var ErrUnwritable = errors.New("cannot be sent as an event stream")

// Append appends the whole event, with the blank line that ends it. It always
// writes a data line, since an event without one is not dispatched.
//
// An ID with CR, LF or NUL, a Name with CR or LF, and anything that is not UTF-8
// are refused with [ErrUnwritable], and b is returned as it was.
func (e Event) Append(b []byte) ([]byte, error) {
	out, err := b, error(nil)
	if e.ID != "" || e.ClearID {
		if out, err = AppendID(out, e.ID); err != nil {
			return b, err
		}
	}
	if e.Name != "" {
		if out, err = AppendName(out, e.Name); err != nil {
			return b, err
		}
	}
	if e.Retry > 0 {
		out = AppendRetry(out, e.Retry)
	}
	if out, err = AppendData(out, e.Data); err != nil {
		return b, err
	}
	return append(out, End...), nil
}

// AppendID appends an id line. An empty id clears the reader's last event ID.
// It refuses CR, LF and NUL.
//
// [spec] If the field value does not contain U+0000 NULL, then set the last
// event ID buffer to the field value. Otherwise, ignore the field.
func AppendID(b []byte, id string) ([]byte, error) {
	if strings.IndexByte(id, 0) >= 0 {
		return b, fmt.Errorf("id %.64q has a NUL: %w", id, ErrUnwritable)
	}
	return appendField(b, "id", id)
}

// AppendName appends an event line, the event's type. It refuses CR and LF.
func AppendName(b []byte, name string) ([]byte, error) {
	return appendField(b, "event", name)
}

func appendField(b []byte, field, value string) ([]byte, error) {
	switch {
	case strings.ContainsAny(value, "\r\n"):
		return b, fmt.Errorf("%s %.64q has a line end: %w", field, value, ErrUnwritable)
	case !utf8.ValidString(value):
		return b, fmt.Errorf("%s %.64q is not UTF-8: %w", field, value, ErrUnwritable)
	}
	// The space is part of the format, not of the value: without it, a value
	// that starts with a space would lose its own.
	//
	// [spec] If value starts with a U+0020 SPACE character, remove it from value.
	b = append(b, field...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, '\n'), nil
}

// AppendData appends data lines, one for each line of data, and one if data is
// empty. The reader gets CR, LF and CRLF as LF. It refuses what is not UTF-8.
func AppendData(b, data []byte) ([]byte, error) {
	if !utf8.Valid(data) {
		return b, fmt.Errorf("data is not UTF-8: %w", ErrUnwritable)
	}
	for more := true; more; {
		var line []byte
		line, data, more = cutLine(data)
		b = append(b, "data: "...)
		b = append(b, line...)
		b = append(b, '\n')
	}
	return b, nil
}

// AppendRetry appends a retry line. Parts of a millisecond are rounded up, and
// less than zero is zero.
func AppendRetry(b []byte, d time.Duration) []byte {
	ms := max(d, 0).Milliseconds()
	if d > time.Duration(ms)*time.Millisecond {
		ms++
	}
	b = append(b, "retry: "...)
	b = strconv.AppendInt(b, ms, 10)
	return append(b, '\n')
}

// AppendComment appends comment lines, one for each line of text, which readers
// ignore. It may stand between events as well as within one.
//
// [spec] If the line starts with a U+003A COLON character (:): Ignore the line.
func AppendComment(b []byte, text string) []byte {
	b = append(b, ": "...)
	for i, c := range []byte(text) {
		switch {
		case c == '\r' && strings.HasPrefix(text[i+1:], "\n"): // half of a CRLF
		case c == '\r' || c == '\n':
			b = append(b, "\n: "...)
		default:
			b = append(b, c)
		}
	}
	return append(b, '\n')
}

// cutLine cuts text after its first line. More is false if that was all.
func cutLine(text []byte) (line, rest []byte, more bool) {
	i := lineEnd(text)
	if i < 0 {
		return text, nil, false
	}
	line, rest = text[:i], text[i+1:]
	if text[i] == '\r' {
		rest = bytes.TrimPrefix(rest, []byte{'\n'})
	}
	return line, rest, true
}
