package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/navehub/nave"
)

// bodyFormat is what the body says it is: jsonType or ndjsonType.
func bodyFormat(h http.Header) (string, error) {
	if c := h.Get("Content-Encoding"); c != "" && !strings.EqualFold(c, "identity") {
		return "", nave.Errorf(codeMediaType, "content encoding %.40q is not understood here: send the body as it is", c)
	}
	text := h.Get("Content-Type")
	if text == "" || text == jsonType {
		return jsonType, nil
	}
	kind, parameters, err := mime.ParseMediaType(text)
	if err != nil {
		return "", nave.Errorf(codeMediaType, "content type %.100q cannot be read: send application/json", text)
	}
	if c := parameters["charset"]; c != "" && !strings.EqualFold(c, "utf-8") {
		return "", nave.Errorf(codeMediaType, "charset %.40q is not understood here: JSON is UTF-8", c)
	}
	switch kind {
	case jsonType, "application/x-www-form-urlencoded": // curl's word for what it knows nothing about
		return jsonType, nil
	case ndjsonType, "application/ndjson", "application/jsonl":
		return ndjsonType, nil
	}
	return "", nave.Errorf(codeMediaType,
		"content type %.100q is not understood here: send application/json, or application/x-ndjson with an event a line", kind)
}

// readBody reads all of a body that is small enough into b. After an error the
// time for it goes on: what is left of it is read before the answer.
func (x *exchange) readBody(b *buffer) error { return x.readUpTo(b, x.MaxBody) }

// readUpTo is readBody for a body of at most so many bytes.
func (x *exchange) readUpTo(b *buffer, most int64) error {
	if x.r.ContentLength > most {
		return tooLarge("the body", most)
	}
	room, err := b.readAll(http.MaxBytesReader(x.ResponseWriter, x.r.Body, most), most)
	switch {
	case !room, err != nil && b.hasGivenWay():
		return errNoRoom("this one")
	case err != nil:
		return x.unreadable("the body", err)
	}
	b.complete()
	x.patient()
	return nil
}

// readJSON reads a small body. It may take its time to arrive, so the caller is looked
// at again.
func (x *exchange) readJSON(into any) error {
	return x.readJSONUpTo(into, x.MaxBody)
}

func (x *exchange) readJSONUpTo(into any, most int64) error {
	body := x.buffer()
	defer body.release()
	if err := x.readUpTo(body, most); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(body.bytes))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return nave.Errorf(nave.CodeInvalid, "the body is not the JSON that is expected: %.200s", wrongJSON(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return nave.Errorf(nave.CodeInvalid, "the body has more than the one JSON object that is expected")
	}
	return x.authority.Check(x.who)
}

// wrongJSON says what is wrong without words of Go.
func wrongJSON(err error) string {
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return "it is empty"
	case errors.As(err, &wrong) && wrong.Field == "":
		return "it is not an object, but: " + wrong.Value
	case errors.As(err, &wrong):
		return wrong.Field + " cannot be: " + wrong.Value
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// discard reads what is left of a body that nobody wanted. So does net/http before
// it answers; but then the time for the answer would be running already.
func (x *exchange) discard() {
	if x.r.ProtoMajor != 1 || x.r.ContentLength == 0 || x.r.ContentLength > mostDiscarded || x.r.Header.Get("Expect") != "" {
		return
	}
	_, _ = io.CopyN(io.Discard, x.r.Body, mostDiscarded) // net/http closes the connection if this was not all
}

// mostDiscarded is net/http's limit: to close the connection costs less.
const mostDiscarded = 256 << 10

// leaveBody ends an answer that began before its body had ended. net/http would
// take what may still come of such a body for another request.
func (x *exchange) leaveBody() {
	if x.r.ProtoMajor != 1 {
		return
	}
	if _, err := io.CopyN(io.Discard, x.r.Body, mostDiscarded); err != io.EOF {
		panic(http.ErrAbortHandler)
	}
}

// patience starts the time that the client has for sending a body or a line.
// There is none once the hub is shutting down.
func (x *exchange) patience() {
	_ = x.rc.SetReadDeadline(time.Now().Add(x.ReadTimeout))
	if x.Hub.Accepting().Err() != nil {
		_ = x.rc.SetReadDeadline(time.Now())
	}
}

// patient ends it: the request is complete, and what it asks for may take longer.
func (x *exchange) patient() { _ = x.rc.SetReadDeadline(time.Time{}) }

func tooLarge(what string, most int64) error {
	return nave.Errorf(nave.CodeTooLarge, "%s is too large: at most %d bytes are allowed", what, most)
}

func (x *exchange) unreadable(what string, err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return tooLarge(what, large.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded) && x.Hub.Accepting().Err() != nil:
		return nave.Errorf(nave.CodeDraining, "the hub is shutting down and waits for no more of %s", what).After(time.Second)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nave.Errorf(codeTimeout, "%s has not arrived within %v", what, x.ReadTimeout)
	}
	return nave.Errorf(nave.CodeInvalid, "%s breaks off: %w", what, err)
}
