package load

import "strconv"

// A Request is one event to publish, or several of one topic.
type Request struct {
	Topic  int
	Events int   // 0 is one, not in an array
	Due    int64 // when it was to be sent

	first int64  // sequence number of its first event
	by    int    // number of its publisher
	after uint64 // the highest offset that was told when it was sent
	floor int64  // all events before this one were accepted then
}

// First is the sequence number of its first event. Numbers begin with 0.
func (r *Request) First() int64 { return r.first }

func (r *Request) events() int64 { return int64(max(1, r.Events)) }

// keys are how many keys keyed events have.
const keys = 500

// A writer writes requests, with nothing left from one to the next but buffers.
type writer struct {
	to     Target
	topics Topics
	keyed  bool
	body   []byte
	whole  []byte
}

// request is the whole request, good until the next one.
func (w *writer) request(r *Request) []byte {
	w.body = w.appendBody(w.body[:0], r)
	b := append(w.whole[:0], "POST /v1/events HTTP/1.1\r\n"...)
	b = w.to.appendHost(b)
	b = append(b, "Content-Type: application/json\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(w.body)), 10)
	b = append(b, crlfcrlf...)
	w.whole = append(b, w.body...)
	return w.whole
}

// lines begins a request whose body is a stream of lines.
func (w *writer) lines() []byte {
	b := w.to.appendHost([]byte("POST /v1/events HTTP/1.1\r\n"))
	return append(b, "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"...)
}

// chunk frames what was gathered in body, a line or more.
func (w *writer) chunk() []byte {
	b := strconv.AppendInt(w.whole[:0], int64(len(w.body)), 16)
	b = append(b, "\r\n"...)
	b = append(b, w.body...)
	w.whole = append(b, "\r\n"...)
	return w.whole
}

func (w *writer) appendBody(b []byte, r *Request) []byte {
	if r.Events == 0 {
		return w.appendEvent(b, r, r.first)
	}
	for i := range int64(r.Events) {
		b = append(b, "[,"[min(i, 1)])
		b = w.appendEvent(b, r, r.first+i)
	}
	return append(b, ']')
}

func (w *writer) appendEvent(b []byte, r *Request, seq int64) []byte {
	b = append(b, `{"topic":"`...)
	b = append(b, w.topics.Prefix...)
	b = strconv.AppendInt(b, int64(r.Topic), 10)
	b = append(b, `","type":"card.moved"`...)
	if w.keyed {
		b = append(b, `,"key":"card-`...)
		b = strconv.AppendInt(b, seq%keys, 10)
		b = append(b, `","source":"bench","id":"`...)
		b = strconv.AppendInt(b, seq, 10)
		b = append(b, '"')
	}
	b = append(b, `,"data":`...)
	b = appendData(b, &event{seq: seq, due: r.Due, by: r.by, after: r.floor})
	return append(b, '}')
}
