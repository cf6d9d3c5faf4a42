package sse

import (
	"bytes"
	"io"
)

// lines cuts a stream into lines.
//
// [spec] The stream must then be parsed by reading everything line by line, with
// a U+000D CARRIAGE RETURN U+000A LINE FEED (CRLF) character pair, a single
// U+000A LINE FEED (LF) character not preceded by a U+000D CARRIAGE RETURN (CR)
// character, and a single U+000D CARRIAGE RETURN (CR) character not followed by a
// U+000A LINE FEED (LF) character being the ways in which a line can end.
type lines struct {
	src io.Reader
	err error // of src, or the end of our patience; final

	buf        []byte
	start, end int // of what has been read and not been given out

	// After a CR the line has ended, whether or not an LF follows: waiting for
	// it would hold back an event until the next one.
	afterCR bool
}

const (
	minBuffer  = 4 << 10
	keepBuffer = 256 << 10 // a larger one, grown for a long line, is given back
)

// next gives the next line without its end, valid until the next call. A line
// that the stream breaks off in is dropped.
func (l *lines) next(limit int) ([]byte, error) {
	searched := 0
	for {
		l.skipLF()
		unread := l.buf[l.start:l.end]
		i := lineEnd(unread[searched:])
		if i >= 0 {
			unread = unread[:searched+i]
		}
		searched = len(unread)
		if searched > limit {
			l.start, l.end, l.err = 0, 0, ErrTooLarge
			return nil, ErrTooLarge
		}
		if i >= 0 {
			l.start += searched
			l.afterCR = l.buf[l.start] == '\r'
			l.start++
			return unread, nil
		}
		if err := l.fill(); err != nil {
			return nil, err
		}
	}
}

func (l *lines) skipLF() {
	if l.afterCR && l.start < l.end {
		l.afterCR = false
		if l.buf[l.start] == '\n' {
			l.start++
		}
	}
}

// fill reads once more into the buffer.
func (l *lines) fill() error {
	if l.err != nil {
		return l.err
	}
	l.makeRoom()
	const patience = 100 // as much as bufio has with a source that gives nothing
	for range patience {
		var n int
		n, l.err = l.src.Read(l.buf[l.end:])
		l.end += n
		if n > 0 {
			return nil
		}
		if l.err != nil {
			return l.err
		}
	}
	l.err = io.ErrNoProgress
	return l.err
}

func (l *lines) makeRoom() {
	l.end = copy(l.buf, l.buf[l.start:l.end])
	l.start = 0
	switch {
	case l.buf == nil, l.end == 0 && len(l.buf) > keepBuffer:
		l.buf = make([]byte, minBuffer)
	case l.end == len(l.buf):
		l.buf = append(l.buf, make([]byte, len(l.buf))...)
	}
}

// lineEnd is where the first CR or LF is, -1 if there is none. It looks at a
// window at a time: a search for LF up to the end of the text, for each line of
// a text with CR only, would take the square of its length.
func lineEnd(text []byte) int {
	const window = 512
	for at := 0; at < len(text); at += window {
		part := text[at:min(at+window, len(text))]
		lf := bytes.IndexByte(part, '\n')
		if lf >= 0 {
			part = part[:lf]
		}
		if cr := bytes.IndexByte(part, '\r'); cr >= 0 {
			return at + cr
		}
		if lf >= 0 {
			return at + lf
		}
	}
	return -1
}
