//go:build linux

package baseline

import (
	"bytes"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
)

const (
	rawStream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
	rawAnswer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
	rawError  = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
)

// serve answers all requests that are complete in b and returns the rest.
func (r *raw) serve(c *rawConn, b []byte) []byte {
	for {
		end := bytes.Index(b, []byte("\r\n\r\n"))
		if end < 0 {
			return b
		}
		head, body := b[:end+2], b[end+4:]
		switch {
		case bytes.HasPrefix(head, []byte("GET /v1/events?")):
			r.subscribe(c, head)
			b = body
		case bytes.HasPrefix(head, []byte("POST /v1/events ")):
			n, err := strconv.Atoi(field(head, "Content-Length: "))
			if err != nil {
				r.write(c, []byte(rawError))
				return nil
			}
			if len(body) < n {
				return b
			}
			r.publish(c, body[:n])
			b = body[n:]
		default:
			r.write(c, []byte(rawError))
			return nil
		}
	}
}

// field is the value of a header field.
func field(head []byte, name string) string {
	_, rest, _ := bytes.Cut(head, []byte("\r\n"+name))
	value, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return string(value)
}

func (r *raw) publish(c *rawConn, body []byte) {
	name := member(body, `"topic":"`)
	kind := member(body, `"type":"`)
	_, data, ok := bytes.Cut(body, []byte(`"data":`))
	if !ok || len(name) == 0 || len(kind) == 0 || body[0] != '{' { // it takes one event
		r.write(c, []byte(rawError))
		return
	}
	r.offset++
	topic := r.topic(string(name))
	block := appendBlock(r.block[:0], string(kind), string(name), r.offset, data[:len(data)-1])
	r.block = block
	r.answer(c)
	if len(topic.round) == 0 {
		r.published = append(r.published, topic)
	}
	topic.round = append(topic.round, block...)
	for _, f := range r.several {
		if matchesAny(f.filters, string(name)) {
			f.round = append(f.round, block...)
		}
	}
	if r.keep > 0 {
		topic.store(r.offset, block, r.keep)
	}
}

func member(body []byte, name string) []byte {
	_, rest, _ := bytes.Cut(body, []byte(name))
	value, _, _ := bytes.Cut(rest, []byte(`"`))
	return value
}

func (r *raw) answer(c *rawConn) {
	var space [256]byte
	body := appendAnswer(space[:0], r.offset)
	b := append(space[len(body):len(body)], rawAnswer...)
	b = strconv.AppendInt(b, int64(len(body)), 10)
	b = append(b, "\r\n\r\n"...)
	r.write(c, append(b, body...))
}

func (r *raw) topic(name string) *rawTopic {
	t := r.topics[name]
	if t == nil {
		t = &rawTopic{}
		r.topics[name] = t
	}
	return t
}

func (r *raw) subscribe(c *rawConn, head []byte) {
	target, _, _ := strings.Cut(string(head[len("GET "):]), " ")
	u, err := url.Parse(target)
	if err != nil {
		r.write(c, []byte(rawError))
		return
	}
	query := u.Query()
	c.filters = query["topic"]
	r.fanOut() // what is published already is the past
	if c.followsOne() {
		t := r.topic(c.filters[0])
		t.followers = append(t.followers, c)
	} else {
		r.several = append(r.several, c)
	}
	cursor := field(head, "Last-Event-ID: ")
	if cursor == "" {
		cursor = query.Get("cursor")
	}
	b := append([]byte(nil), rawStream...)
	after, ok := parseCursor(cursor)
	if !ok {
		r.write(c, appendSync(b, "live", r.offset))
		return
	}
	b = appendSync(b, "recovered", after)
	r.write(c, r.appendMissed(b, c.filters, after))
}

// appendMissed appends what came after the offset, topic by topic: who follows
// several of them, or a pattern, cannot resume here in one order.
func (r *raw) appendMissed(b []byte, filters []string, after uint64) []byte {
	for _, f := range filters {
		if t := r.topics[f]; t != nil {
			b = append(b, t.after(after)...)
		}
	}
	return b
}

func (t *rawTopic) store(offset uint64, block []byte, keep int) {
	t.blocks = append(t.blocks, block...)
	t.offsets = append(t.offsets, offset)
	t.ends = append(t.ends, len(t.blocks))
	if len(t.offsets) < 2*keep {
		return
	}
	cut := t.ends[keep-1]
	t.blocks = slices.Delete(t.blocks, 0, cut)
	t.offsets = slices.Delete(t.offsets, 0, keep)
	t.ends = slices.Delete(t.ends, 0, keep)
	for i := range t.ends {
		t.ends[i] -= cut
	}
}

func (t *rawTopic) after(offset uint64) []byte {
	i := sort.Search(len(t.offsets), func(i int) bool { return t.offsets[i] > offset })
	if i == 0 {
		return t.blocks
	}
	return t.blocks[t.ends[i-1]:]
}
