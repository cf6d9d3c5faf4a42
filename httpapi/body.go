package httpapi

import (
	"bufio"
	"bytes"
	"context"
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
	if text == "" {
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

// readBody reads all of a body that is small enough. After an error the time for
// it goes on: net/http reads what is left, before it answers.
func (x *exchange) readBody() ([]byte, error) {
	if x.r.ContentLength > x.MaxBody {
		return nil, x.tooLarge("the body")
	}
	x.patience()
	body, err := io.ReadAll(http.MaxBytesReader(x.ResponseWriter, x.r.Body, x.MaxBody))
	if err != nil {
		return nil, x.unreadable("the body", err)
	}
	x.patient()
	return body, nil
}

// patience starts the time that the client has for sending a body or a line.
// There is none once the hub is shutting down.
func (x *exchange) patience() {
	_ = x.rc.SetReadDeadline(time.Now().Add(x.ReadTimeout))
	if x.Hub.Accepting().Err() != nil {
		_ = x.rc.SetReadDeadline(time.Now())
	}
}

// hurry ends the patience when the hub begins to shut down, until it is undone.
func (x *exchange) hurry() (undo func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(x.Hub.Accepting(), func() {
		defer close(done)
		_ = x.rc.SetReadDeadline(time.Now())
	})
	return func() {
		if !stop() {
			<-done // the response must not be touched any more
		}
	}
}

// patient ends it: the request is complete, and what it asks for may take longer.
func (x *exchange) patient() { _ = x.rc.SetReadDeadline(time.Time{}) }

func (x *exchange) tooLarge(what string) error {
	return nave.Errorf(nave.CodeTooLarge, "%s is too large: at most %d bytes are allowed", what, x.MaxBody)
}

func (x *exchange) unreadable(what string, err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return x.tooLarge(what)
	case errors.Is(err, os.ErrDeadlineExceeded) && x.Hub.Accepting().Err() != nil:
		return nave.Errorf(nave.CodeDraining, "the hub is shutting down and waits for no more of %s", what).After(time.Second)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nave.Errorf(codeTimeout, "%s has not arrived within %v", what, x.ReadTimeout)
	}
	return nave.Errorf(nave.CodeInvalid, "%s breaks off: %w", what, err)
}

// lines reads a body line by line, and none that is too large.
type lines struct {
	x    *exchange
	src  *bufio.Reader
	line []byte
	// ended is true when nothing more can be read.
	ended bool
}

func (x *exchange) lines() *lines {
	return &lines{x: x, src: bufio.NewReaderSize(x.r.Body, 32<<10)}
}

// next returns the next line that is not blank, good until the following call.
// After any error it can be called again; the last one is io.EOF.
func (l *lines) next() ([]byte, error) {
	for !l.ended {
		l.line = l.line[:0]
		l.x.patience()
		large, err := l.read()
		if err == io.EOF {
			l.x.patient()
		}
		l.ended = err != nil
		switch {
		case l.ended && err != io.EOF:
			return nil, l.x.unreadable("the line", err)
		case large:
			return nil, l.x.tooLarge("the line")
		case len(bytes.TrimSpace(l.line)) > 0:
			return l.line, nil
		}
	}
	return nil, io.EOF
}

// read gathers one line. Of one that is too large it keeps nothing.
func (l *lines) read() (large bool, err error) {
	for {
		part, err := l.src.ReadSlice('\n')
		if large = large || int64(len(l.line)+len(part)) > l.x.MaxBody; large {
			l.line = l.line[:0]
		} else {
			l.line = append(l.line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return large, err
		}
	}
}

// waiting reports whether more of the body has arrived already.
func (l *lines) waiting() bool { return l.src.Buffered() > 0 }
