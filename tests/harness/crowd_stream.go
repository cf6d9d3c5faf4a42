package harness

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strconv"
	"time"
)

// headBytes is how much of a line a member looks at: all but the data of an event
// of ordinary names.
const headBytes = 768

// lineHeads reads lines of any length, and keeps the beginning of each.
type lineHeads struct {
	conn net.Conn
	buf  []byte
	rest []byte // of buf, not looked at yet
	head []byte
}

// next is the beginning of the next line, without its end, good until the next call.
func (l *lineHeads) next() ([]byte, error) {
	l.head = l.head[:0]
	for {
		if len(l.rest) == 0 {
			n, err := l.conn.Read(l.buf)
			if n == 0 && err != nil {
				return nil, err
			}
			l.rest = l.buf[:n]
		}
		end := bytes.IndexByte(l.rest, '\n')
		part := l.rest
		if end >= 0 {
			part = l.rest[:end]
		}
		l.head = append(l.head, part[:min(len(part), headBytes-len(l.head))]...)
		if end < 0 {
			l.rest = nil
			continue
		}
		l.rest = l.rest[end+1:]
		return bytes.TrimSuffix(l.head, []byte("\r")), nil
	}
}

// answer reads the head of the answer. If it is not a stream, it takes note of
// what it is, and of when to come back.
func (m *member) answer(ctx context.Context, lines *lineHeads) (wait time.Duration, ok bool) {
	status, retry, err := readHead(lines)
	switch {
	case err != nil:
		m.dropped(ctx, err)
		return 0, false
	case status == 200:
		m.note(func(s *Standing) { s.Streams++ })
		return 0, true
	case (status == 429 || status == 503) && retry > 0:
		m.note(func(s *Standing) { s.Refused, s.Failure = s.Refused+1, fmt.Errorf("refused with %d", status) })
		return retry, false
	}
	m.note(func(s *Standing) { s.Unclear, s.Failure = s.Unclear+1, fmt.Errorf("answered with %d", status) })
	return 0, false
}

func readHead(lines *lineHeads) (status int, retry time.Duration, err error) {
	line, err := lines.next()
	if err != nil {
		return 0, 0, err
	}
	_, rest, found := bytes.Cut(line, []byte("HTTP/1.1 "))
	if !found || len(rest) < 3 {
		return 0, 0, nil // no answer that anybody understands
	}
	status, _ = strconv.Atoi(string(rest[:3]))
	for {
		line, err := lines.next()
		if err != nil || len(line) == 0 {
			return status, retry, err
		}
		if name, value, _ := bytes.Cut(line, []byte(": ")); bytes.EqualFold(name, []byte("Retry-After")) {
			seconds, _ := strconv.Atoi(string(value))
			retry = time.Duration(seconds) * time.Second
		}
	}
}

// listen follows the stream to its end.
func (m *member) listen(lines *lineHeads) {
	m.mu.Lock()
	m.heard = m.now.Tally // what no cursor came with comes again
	m.mu.Unlock()
	var name []byte
	for {
		line, err := lines.next()
		if err != nil {
			return
		}
		switch {
		case bytes.HasPrefix(line, []byte("event: ")):
			name = append(name[:0], line[len("event: "):]...)
		case bytes.HasPrefix(line, []byte("data: ")):
			m.take(string(name), line[len("data: "):])
		case bytes.HasPrefix(line, []byte("id: ")):
			m.settle(line[len("id: "):])
		}
	}
}

func (m *member) take(name string, data []byte) {
	switch {
	case name == "hub.sync":
		m.verdict(data)
	case name == "hub.bye":
		m.note(func(s *Standing) { s.Byes++ })
	case len(name) > 4 && name[:4] == "hub.":
	default:
		offset := number64(data, `"offset":`)
		m.mu.Lock()
		m.heard.Add(offset)
		m.mu.Unlock()
		if m.crowd.Saw != nil {
			m.crowd.Saw(Heard{Member: m.number, Offset: offset, At: time.Now(), Line: data})
		}
	}
}

func (m *member) verdict(data []byte) {
	m.note(func(s *Standing) {
		s.Connected = true
		switch text(data, "status") {
		case "live":
			s.Live++
		case "recovered":
			s.Recovered++
		default:
			s.Resets++
		}
	})
}

// settle makes count what came before the cursor.
func (m *member) settle(cursor []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cursor = append(m.cursor[:0], cursor...)
	m.now.Tally = m.heard
}

// Text is a member of the event whose value is a short text that needs no escapes.
func (h Heard) Text(member string) string { return text(h.Line, member) }

func text(line []byte, member string) string {
	_, rest, found := bytes.Cut(line, []byte(`"`+member+`":"`))
	end := bytes.IndexByte(rest, '"')
	if !found || end < 0 {
		return ""
	}
	return string(rest[:end])
}

// number64 is the number after a name, 0 if there is none.
func number64(line []byte, name string) (n uint64) {
	at := bytes.Index(line, []byte(name))
	if at < 0 {
		return 0
	}
	for _, c := range line[at+len(name):] {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + uint64(c-'0')
	}
	return n
}
