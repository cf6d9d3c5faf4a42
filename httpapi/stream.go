package httpapi

import (
	"io"
	"net/http"
	"time"

	"github.com/navehub/nave"
)

// publishLines publishes every line by itself and answers each with a line, in
// order, while the body is still arriving: a publication, or a problem document
// in its place, after which the stream goes on.
//
// A line is published when the one before it has been, so that the order of
// lines is the order of events. What is meant to go faster goes several events
// to a line, as an array, or over several connections.
func (h *handler) publishLines(x *exchange) error {
	_ = x.rc.EnableFullDuplex() // HTTP/2 always is
	x.Header().Set("Content-Type", ndjsonType)
	x.Header().Set("Cache-Control", "no-store")
	if x.r.Header.Get("Expect") == "" { // who expects 100 sends nothing after 200
		x.WriteHeader(http.StatusOK)
		_ = x.rc.Flush()
	}
	lines := x.lines()
	defer lines.close()
	for last := false; !last; {
		line, err := lines.next()
		if err == io.EOF {
			break
		}
		answer, err := h.publishLine(x, line, err)
		last = lines.ended || nave.CodeOf(err) == nave.CodeDraining
		if x.answerLine(answer, last || !lines.waiting()) != nil {
			break
		}
	}
	x.leaveBody()
	return nil
}

// publishLine gives the answer to a line, and the error in it. Reading the line
// may have failed already.
func (h *handler) publishLine(x *exchange, line []byte, err error) ([]byte, error) {
	if err == nil {
		published, failed := h.publishJSON(x, line)
		if err = failed; err == nil {
			answer := publicationOf(published)
			answer.Repeat = published.Repeat
			return encode(answer), nil
		}
	}
	p := problemOf(err)
	if p.Code == nave.CodeInternal {
		x.Logger.ErrorContext(x.r.Context(), "a line met a defect", "path", x.r.URL.Path, "error", err)
	}
	return p.body(), err
}

// answerLine writes, and flushes unless more is to be answered at once.
func (x *exchange) answerLine(answer []byte, flush bool) error {
	_ = x.rc.SetWriteDeadline(time.Now().Add(x.WriteTimeout))
	defer func() { _ = x.rc.SetWriteDeadline(time.Time{}) }()
	if _, err := x.Write(answer); err != nil || !flush {
		return err
	}
	return x.rc.Flush()
}
