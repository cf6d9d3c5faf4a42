//go:build linux

package slow

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// A stream is one connection as its client has it. It is read by hand: a thousand
// of them must cost little beside the hub, and some are read a byte at a time.
type stream struct {
	conn net.Conn
	in   *bufio.Reader
	head bool // the head of the response has been read

	// Of the frame that is being read.
	name, data, id []byte
}

// A frame is what a stream has brought: an event, or one of the hub's own.
type frame struct {
	offset uint64 // of an event; 0 for the hub's own
	at     int64  // when it was due to be sent, in µs of the trial
	n      int    // counts what was published
	sync   string // the verdict, of hub.sync
	to     uint64 // the offset of the cursor that came with it, if one did
}

// open sends the request. The buffer must hold the longest line.
func open(conn net.Conn, cursor string, buffer int, filters ...string) (*stream, error) {
	var last string
	if cursor != "" {
		last = "Last-Event-ID: " + cursor + "\r\n"
	}
	_, err := fmt.Fprintf(conn, "GET /v1/events?topic=%s HTTP/1.1\r\nHost: hub\r\nAccept: text/event-stream\r\n%s\r\n",
		strings.Join(filters, "&topic="), last)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &stream{conn: conn, in: bufio.NewReaderSize(conn, buffer)}, nil
}

// precede makes the stream begin with bytes that were read from it already.
func (s *stream) precede(bytesRead []byte) {
	s.in = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytesRead), s.conn), s.in.Size())
}

// next reads one whole frame. What a broken stream ends in the midst of does not
// count, by the standard.
func (s *stream) next(f *frame) error {
	if !s.head {
		if err := s.response(); err != nil {
			return err
		}
		s.head = true
	}
	s.name, s.data, s.id = s.name[:0], s.data[:0], s.id[:0]
	for {
		line, err := s.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = line[:len(line)-1]
		switch field, value, _ := bytes.Cut(line, []byte(": ")); {
		case len(line) == 0:
			return s.parse(f)
		case string(field) == "event":
			s.name = append(s.name, value...)
		case string(field) == "data":
			s.data = append(s.data, value...)
		case string(field) == "id":
			s.id = append(s.id, value...)
		}
	}
}

func (s *stream) response() error {
	status, err := s.in.ReadString('\n')
	for line := status; err == nil && line != "\r\n"; {
		line, err = s.in.ReadString('\n')
	}
	if err == nil && !strings.HasPrefix(status, "HTTP/1.1 200 ") {
		err = fmt.Errorf("the hub answers %q", status)
	}
	return err
}

func (s *stream) parse(f *frame) error {
	*f = frame{}
	if at := bytes.LastIndexByte(s.id, '-'); at >= 0 {
		f.to, _ = strconv.ParseUint(string(s.id[at+1:]), 10, 64)
	}
	switch {
	case string(s.name) == "hub.sync":
		var sync struct{ Status, Reason string }
		if err := json.Unmarshal(s.data, &sync); err != nil {
			return err
		}
		f.sync = strings.TrimSuffix(sync.Status+" "+sync.Reason, " ")
	case bytes.HasPrefix(s.name, []byte("hub.")):
	default:
		return s.parseEvent(f)
	}
	return nil
}

var errMangled = errors.New("an event is not as it was published")

// parseEvent takes the offset, and what payload has written: its last figure is
// at the end, so that who finds it has the whole.
func (s *stream) parseEvent(f *frame) error {
	offset, ok := number(s.data, `"offset":`)
	at, timed := number(s.data, `"data":{"at":`)
	end := bytes.LastIndexByte(s.data, ':')
	n, err := strconv.Atoi(string(bytes.TrimSuffix(s.data[end+1:], []byte("}}"))))
	if !ok || !timed || err != nil || f.to > 0 && f.to != offset {
		return fmt.Errorf("%w: %.200q… with id %q", errMangled, s.data, s.id)
	}
	f.offset, f.at, f.n = offset, int64(at), n
	return nil
}

func number(text []byte, after string) (uint64, bool) {
	at := bytes.Index(text, []byte(after))
	if at < 0 {
		return 0, false
	}
	var n uint64
	for _, c := range text[at+len(after):] {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

// payload is the data of an event: when it was due, a filling, and its number.
func payload(at time.Duration, size, n int) json.RawMessage {
	return fmt.Appendf(nil, `{"at":%d,"pad":"%s","n":%d}`, at.Microseconds(), strings.Repeat("x", size), n)
}
