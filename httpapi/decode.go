package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/navehub/nave"
)

// members are what an event has in JSON.
var members = []string{"topic", "type", "key", "data", "id", "source", "time", "ifVersion"}

// decode reads a body, or a line. Large ones take turns: a flood of them would keep
// the processors from those who publish what was read before.
func (h *handler) decode(body []byte) ([]nave.Event, error) {
	if len(body) > smallBody {
		h.turns <- struct{}{}
		defer func() { <-h.turns }()
	}
	return decodeEvents(body, h.Hub.Limits().Batch)
}

// decodeEvents reads an event, or an array of them, which is a batch of at most
// limit. It checks the form; what the values must be is the hub's to say. The
// events keep nothing of the body.
func decodeEvents(body []byte, limit int) ([]nave.Event, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nave.Errorf(nave.CodeInvalid, `the body is empty: send an event, such as {"topic":"cards/board-1","type":"card.moved"}`)
	}
	if !utf8.Valid(body) {
		return nil, nave.Errorf(nave.CodeInvalid, "the body is not valid UTF-8")
	}
	if err := checkSyntax(body); err != nil {
		return nil, err
	}
	// From here on the body is one well-formed value, and only its shape can be wrong.
	s := scanner{body}
	if s.next() == '[' {
		return decodeBatch(s.value(), limit)
	}
	e, err := decodeEvent(s.value())
	return []nave.Event{e}, err
}

func checkSyntax(body []byte) error {
	if json.Valid(body) {
		return nil
	}
	var whole json.RawMessage
	err := json.Unmarshal(body, &whole)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nave.Errorf(nave.CodeInvalid, "the body is not valid JSON: %w, at byte %d", err, syntax.Offset)
	case err != nil:
		return nave.Errorf(nave.CodeInvalid, "the body is not valid JSON: %w", err)
	}
	return nil
}

func decodeBatch(array []byte, limit int) ([]nave.Event, error) {
	var events []nave.Event
	for s := inside(array); s.next() != ']'; {
		if len(events) == limit {
			return nil, nave.Errorf(nave.CodeTooMany, "the batch has more than %d events", limit)
		}
		e, err := decodeEvent(s.value())
		if err != nil {
			return nil, nave.Errorf(nave.CodeInvalid, "event %d: %w", len(events), err)
		}
		events = append(events, e)
	}
	return events, nil
}

func decodeEvent(object []byte) (nave.Event, error) {
	var e nave.Event
	if object[0] != '{' {
		return e, nave.Errorf(nave.CodeInvalid, "an event is an object, not %s", nameOf(object[0]))
	}
	var seen uint // a bit for each of members
	for s := inside(object); s.next() != '}'; {
		i, err := memberOf(s.value())
		switch {
		case err != nil:
			return e, err
		case seen&(1<<i) != 0:
			return e, nave.Errorf(nave.CodeInvalid, "member %s is given twice", members[i])
		}
		seen |= 1 << i
		if err := assign(&e, members[i], s.value()); err != nil {
			return e, err
		}
	}
	return e, nil
}

// memberOf is the place in members of a name as the body has it.
func memberOf(quoted []byte) (int, error) {
	is := func(name string) bool { return name == string(quoted[1:len(quoted)-1]) }
	if i := slices.IndexFunc(members, is); i >= 0 {
		return i, nil
	}
	name, err := decodeText("the name of a member", quoted)
	if err != nil {
		return 0, err
	}
	if i := slices.Index(members, name); i >= 0 { // it was written with escapes
		return i, nil
	}
	return 0, nave.Errorf(nave.CodeInvalid, "unknown member %.40q: %s", name, meant(name, "an event has", members))
}

func assign(e *nave.Event, name string, value []byte) (err error) {
	var text string
	switch name {
	case "data":
		e.Data = bytes.Clone(value)
		return nil
	case "ifVersion":
		e.IfVersion, err = decodeVersion(value)
		return err
	}
	if text, err = decodeText(name, value); err != nil {
		return err
	}
	switch name {
	case "topic":
		e.Topic = nave.Topic(text)
	case "type":
		e.Type = text
	case "key":
		e.Key = text
	case "id":
		e.ID = text
	case "source":
		e.Source = text
	case "time":
		if e.Time, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return nave.Errorf(nave.CodeInvalid, `time %.40q is not as RFC 3339 has it: write it like "2006-01-02T15:04:05Z"`, text)
		}
	}
	return nil
}

func decodeVersion(value []byte) (*uint64, error) {
	version, err := strconv.ParseUint(string(value), 10, 64)
	if err != nil {
		is := nameOf(value[0])
		if is == aNumber {
			is = fmt.Sprintf("%.40s", value)
		}
		return nil, nave.Errorf(nave.CodeInvalid, "ifVersion is %s: it must be a whole number, 0 to 2^64-1", is)
	}
	return &version, nil
}

func decodeText(name string, value []byte) (string, error) {
	switch {
	case value[0] != '"':
		return "", nave.Errorf(nave.CodeInvalid, "%s must be a string, not %s", name, nameOf(value[0]))
	case bytes.IndexByte(value, '\\') < 0:
		return string(value[1 : len(value)-1]), nil
	}
	return decodeEscaped(name, value)
}

func decodeEscaped(name string, value []byte) (text string, err error) {
	if err := json.Unmarshal(value, &text); err != nil {
		return "", nave.Errorf(nave.CodeInvalid, "%s: %w", name, err)
	}
	if halfCharacter(value) {
		return "", nave.Errorf(nave.CodeInvalid, `%s has half a character: \ud800 to \udfff come in pairs`, name)
	}
	return text, nil
}

// halfCharacter reports whether an escaped surrogate stands alone in a JSON
// string. It is read as U+FFFD, which would make one of different texts.
func halfCharacter(text []byte) bool {
	for {
		escape := bytes.IndexByte(text, '\\')
		if escape < 0 {
			return false
		}
		text = text[escape:]
		first := escapedUnit(text)
		if !utf16.IsSurrogate(first) {
			text = text[len(`\n`):] // and with it a backslash that is itself escaped
			continue
		}
		text = text[len(`\ud800`):]
		if utf16.DecodeRune(first, escapedUnit(text)) == utf8.RuneError {
			return true
		}
		text = text[len(`\udc00`):]
	}
}

// escapedUnit is the UTF-16 code unit that text begins with, such as \ud800; 0 if
// it begins with something else.
func escapedUnit(text []byte) rune {
	if !bytes.HasPrefix(text, []byte(`\u`)) {
		return 0
	}
	unit, _ := strconv.ParseUint(string(text[2:6]), 16, 16) // valid JSON has four digits there
	return rune(unit)
}

const aNumber = "a number"

// nameOf is what a JSON value is that starts with this byte.
func nameOf(first byte) string {
	switch first {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 'n':
		return "null"
	case 't', 'f':
		return "true or false"
	}
	return aNumber
}
