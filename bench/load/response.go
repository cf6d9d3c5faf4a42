package load

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

var (
	errEnded  = errors.New("the server closed the connection")
	crlfcrlf  = []byte("\r\n\r\n")
	lengthIs  = []byte("\r\nContent-Length: ")
	isChunked = []byte("\r\nTransfer-Encoding: chunked\r\n")
	comma     = []byte(",")
)

// A head is what an answer of HTTP/1.1 begins with.
type head struct {
	status  int
	length  int // of the body; -1 if it is not told
	chunked bool
}

// parseHead reads a head. n is how long it is; 0 if it has not all arrived.
func parseHead(b []byte) (h head, n int, err error) {
	end := bytes.Index(b, crlfcrlf)
	if end < 0 {
		return h, 0, nil
	}
	if !bytes.HasPrefix(b, []byte("HTTP/1.1 ")) || end < len("HTTP/1.1 200") {
		return h, 0, fmt.Errorf("the answer is not HTTP/1.1: it begins with %.40q", b)
	}
	h.length = -1
	if h.status, err = strconv.Atoi(string(b[9:12])); err != nil {
		return h, 0, fmt.Errorf("the answer's status is %q: it must be a number", b[9:12])
	}
	lines := b[:end+2]
	if i := bytes.Index(lines, lengthIs); i >= 0 {
		digits := lines[i+len(lengthIs):]
		h.length = int(number(&digits))
	}
	h.chunked = bytes.Contains(lines, isChunked)
	return h, end + len(crlfcrlf), nil
}

// parseAnswer reads an answer whose length is told. n is 0 if it has not all arrived.
func parseAnswer(b []byte) (status int, body []byte, n int, err error) {
	h, n, err := parseHead(b)
	switch {
	case err != nil || n == 0:
		return 0, nil, 0, err
	case h.length < 0:
		return 0, nil, 0, fmt.Errorf("the answer, with status %d, does not tell its length", h.status)
	case len(b) < n+h.length:
		return 0, nil, 0, nil
	}
	return h.status, b[n : n+h.length], n + h.length, nil
}

var eventsAre = []byte(`"events":[`)

// eachOffset calls do with the offset of every event that the answer to a publish
// names, 0 if it has none, and returns how many these are.
func eachOffset(answer []byte, do func(i int64, offset uint64)) (n int64) {
	_, rest, _ := bytes.Cut(answer, eventsAre)
	for {
		end := bytes.IndexByte(rest, '}')
		if end < 0 || rest[0] == ']' {
			return n
		}
		offset := uint64(0)
		if at := bytes.Index(rest[:end], offsetIs[1:]); at >= 0 {
			digits := rest[at+len(offsetIs)-1:]
			offset = uint64(number(&digits))
		}
		do(n, offset)
		n++
		rest = bytes.TrimPrefix(rest[end+1:], comma)
	}
}

// number reads digits off the front.
func number(b *[]byte) int64 {
	n := int64(0)
	for len(*b) > 0 && (*b)[0]-'0' <= 9 {
		n = n*10 + int64((*b)[0]-'0')
		*b = (*b)[1:]
	}
	return n
}

// chunks takes the frames of a chunked body off.
type chunks struct {
	phase chunkPhase
	left  int // of a chunk; while its size is being read, that
}

type chunkPhase uint8

const (
	inSize chunkPhase = iota
	inData
	inEnd  // the end of line after a chunk
	inLast // the one after the last chunk
	atEnd
)

// strip moves the bytes of the body to the front of b and returns them.
func (c *chunks) strip(b []byte) ([]byte, error) {
	n := 0
	for i := 0; i < len(b); {
		if c.phase == inData {
			part := min(c.left, len(b)-i)
			n += copy(b[n:], b[i:i+part])
			i += part
			if c.left -= part; c.left == 0 {
				c.phase = inEnd
			}
			continue
		}
		if err := c.frame(b[i]); err != nil {
			return nil, err
		}
		i++
	}
	return b[:n], nil
}

func (c *chunks) frame(b byte) error {
	switch digit, isDigit := hexDigit(b); {
	case c.phase == inSize && isDigit:
		c.left = c.left<<4 | digit
	case b == '\r' && c.phase != atEnd:
	case b != '\n' || c.phase == atEnd:
		return fmt.Errorf("byte %q stands where the body's chunks are framed", b)
	case c.phase == inEnd:
		c.phase = inSize
	case c.phase == inLast:
		c.phase = atEnd
	case c.left == 0:
		c.phase = inLast
	default:
		c.phase = inData
	}
	return nil
}

func hexDigit(b byte) (int, bool) {
	switch {
	case '0' <= b && b <= '9':
		return int(b - '0'), true
	case 'a' <= b && b <= 'f':
		return int(b-'a') + 10, true
	case 'A' <= b && b <= 'F':
		return int(b-'A') + 10, true
	}
	return 0, false
}
