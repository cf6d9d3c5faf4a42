package httpapi

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
)

const (
	// mostUnderWay is how many lines of a connection are published at a time. Their
	// bytes are bounded by what is read ahead.
	mostUnderWay = 256
	// enoughAnswers is how many bytes of them are worth a write.
	enoughAnswers = 4 << 10
)

// publishLines publishes every line by itself and answers each with a line, in
// order, while the body is still arriving: a publication, or a problem document
// in its place, after which the stream goes on.
//
// Lines that have arrived together are committed together. Each has its place in
// the order before the next is looked at, so that the order of lines is the order
// of events. All have their answers before more is waited for, since the client
// may wait for these.
func (x *exchange) publishLines() error {
	_ = x.rc.EnableFullDuplex() // HTTP/2 always is
	x.Header().Set("Content-Type", ndjsonType)
	x.Header().Set("Cache-Control", "no-store")
	if x.r.Header.Get("Expect") == "" { // who expects 100 sends nothing after 200
		x.WriteHeader(http.StatusOK)
		_ = x.rc.Flush()
	}
	s := lineStream{x: x, lines: x.lines()}
	defer s.lines.close()
	for s.publishSome() {
	}
	x.leaveBody()
	return nil
}

// A lineStream is a body of lines that are published.
type lineStream struct {
	x        *exchange
	lines    *lines
	last     bool // nothing comes after the lines under way
	underWay []submitted
	answers  []byte // not written yet
}

// submitted is a line under way: pending, or refused already.
type submitted struct {
	pending *hub.Pending
	err     error
}

// publishSome publishes the next line, and with it those that have arrived after
// it. It reports whether the stream goes on.
func (s *lineStream) publishSome() bool {
	line, err := s.lines.next()
	if err == io.EOF {
		return false
	}
	ctx := s.x.linger()
	defer ctx.end()
	defer s.settle(ctx)
	s.submit(ctx, line, err)
	for !s.last && len(s.underWay) < mostUnderWay && s.lines.waiting() {
		line, err := s.lines.next()
		s.submit(ctx, line, err)
	}
	return s.answer(ctx) == nil && !s.last
}

// submit is for a line whose reading may have failed already.
func (s *lineStream) submit(ctx *lingerer, line []byte, err error) {
	var l submitted
	if l.err = err; err == nil {
		l.pending, l.err = s.x.submitJSON(ctx, line)
	}
	s.last = s.lines.ended || nave.CodeOf(l.err) == nave.CodeDraining
	s.underWay = append(s.underWay, l)
}

// answer answers the lines under way. No answer waits for the outcome of another
// line.
func (s *lineStream) answer(ctx *lingerer) error {
	for i := range s.underWay {
		l := &s.underWay[i]
		if len(s.answers) >= enoughAnswers || l.pending != nil && !l.pending.Answered() {
			if err := s.write(); err != nil {
				return err
			}
		}
		s.answers = append(s.answers, s.answerTo(ctx, l)...)
	}
	return s.write()
}

// answerTo waits for what becomes of a line.
func (s *lineStream) answerTo(ctx *lingerer, l *submitted) []byte {
	published, err := l.wait(ctx)
	if err == nil {
		answer := publicationOf(published)
		answer.Repeat = published.Repeat
		return encode(answer)
	}
	s.x.auditRefusal(err)
	p := s.x.problemOf(err)
	s.x.Telemetry.RequestRefused(p.Code)
	if p.Code == nave.CodeInternal {
		s.x.Logger.ErrorContext(ctx, "a line met a defect", "path", s.x.r.URL.Path, "error", err)
	}
	return p.body()
}

func (l *submitted) wait(ctx *lingerer) (hub.Published, error) {
	if l.pending == nil {
		return hub.Published{}, l.err
	}
	pending := l.pending
	l.pending = nil
	return ctx.wait(pending)
}

// settle sees to the end of what is under way, also if the client is gone.
func (s *lineStream) settle(ctx *lingerer) {
	for i := range s.underWay {
		if s.underWay[i].pending != nil {
			_, _ = s.underWay[i].wait(ctx)
		}
	}
	clear(s.underWay)
	s.underWay = s.underWay[:0]
}

// write sends the answers that there are.
func (s *lineStream) write() error {
	if len(s.answers) == 0 {
		return nil
	}
	_ = s.x.rc.SetWriteDeadline(time.Now().Add(s.x.WriteTimeout))
	defer func() { _ = s.x.rc.SetWriteDeadline(time.Time{}) }()
	if !s.lines.ended {
		s.x.patience() // the next line may be waiting for these answers to be taken
	}
	_, err := s.x.Write(s.answers)
	if s.answers = s.answers[:0]; cap(s.answers) > 2*enoughAnswers {
		s.answers = nil
	}
	if err != nil {
		return err
	}
	return s.x.rc.Flush()
}

// lines reads a body line by line, and none that is too large.
type lines struct {
	x    *exchange
	src  *bufio.Reader
	line *buffer
	// ended is true when nothing more can be read.
	ended bool
}

func (x *exchange) lines() *lines {
	return &lines{x: x, src: bufio.NewReaderSize(x.r.Body, smallBody), line: x.buffer()}
}

// close gives back what the last line takes.
func (l *lines) close() { l.line.release() }

// next returns the next line that is not blank, good until the following call.
// After any error it can be called again; the last one is io.EOF.
func (l *lines) next() ([]byte, error) {
	for !l.ended {
		l.line.restart()
		if !l.waiting() {
			l.x.patience()
		}
		refused, err := l.read()
		l.ended = err != nil
		l.line.complete()
		if err == io.EOF {
			l.x.patient()
		}
		switch {
		case l.ended && l.line.hasGivenWay():
			return nil, errNoRoom("the line")
		case l.ended && err != io.EOF:
			return nil, l.x.unreadable("the line", err)
		case refused != nil:
			return nil, refused
		case len(bytes.TrimSpace(l.line.bytes)) > 0:
			return l.line.bytes, nil
		}
	}
	return nil, io.EOF
}

// read gathers one line. Of one that is refused it keeps nothing.
func (l *lines) read() (refused, err error) {
	for {
		part, err := l.src.ReadSlice('\n')
		if refused == nil {
			if refused = l.gather(part); refused != nil {
				l.line.release()
			}
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return refused, err
		}
	}
}

func (l *lines) gather(part []byte) error {
	switch line := l.line; {
	case int64(len(line.bytes)+len(part)) > l.x.MaxBody:
		return tooLarge("the line", l.x.MaxBody)
	case !line.grow(len(part), l.x.MaxBody):
		return errNoRoom("the line")
	default:
		line.bytes = append(line.bytes, part...)
		return nil
	}
}

// waiting reports whether the next line has arrived already, so that next does not
// block. It passes over blank ones.
func (l *lines) waiting() bool {
	for {
		ahead, _ := l.src.Peek(l.src.Buffered()) // what is buffered can be had
		size := bytes.IndexByte(ahead, '\n') + 1
		if size == 0 || int64(size) > l.x.MaxBody || len(bytes.TrimSpace(ahead[:size])) > 0 {
			return size > 0
		}
		_, _ = l.src.Discard(size)
	}
}
