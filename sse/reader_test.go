package sse_test

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/navehub/nave/sse"
)

// readAll reads to the end, and answers what ended it.
func readAll(r *sse.Reader) ([]sse.Event, error) {
	var events []sse.Event
	for {
		e, err := r.Next()
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
}

// event is short for one with data, which is never nil when read.
func event(data string) sse.Event { return sse.Event{Data: []byte(data)} }

func TestReader(t *testing.T) {
	named := func(name, data string) sse.Event { return sse.Event{Name: name, Data: []byte(data)} }
	withID := func(id, data string) sse.Event { return sse.Event{ID: id, Data: []byte(data)} }
	cleared := func(data string) sse.Event { return sse.Event{ClearID: true, Data: []byte(data)} }
	retry := func(d time.Duration, data string) sse.Event { return sse.Event{Retry: d, Data: []byte(data)} }
	const maxRetry = math.MaxInt64 / time.Millisecond * time.Millisecond

	for _, tt := range []struct {
		name, stream string
		lastID       string
		want         []sse.Event
	}{
		// Lines.
		{name: "LF", stream: "data: a\ndata: b\n\n", want: []sse.Event{event("a\nb")}},
		{name: "CR", stream: "data: a\rdata: b\r\r", want: []sse.Event{event("a\nb")}},
		{name: "CRLF", stream: "data: a\r\ndata: b\r\n\r\n", want: []sse.Event{event("a\nb")}},
		{name: "mixed", stream: "data: a\r\ndata: b\rdata: c\n\r\ndata: d\r\n\r", want: []sse.Event{event("a\nb\nc"), event("d")}},
		{name: "LFCR is two", stream: "data: a\n\rdata: b\n\n", want: []sse.Event{event("a"), event("b")}},
		{name: "other separators do not end lines", stream: "data: a\u2028b\u0085c\v\f\x00\n\n",
			want: []sse.Event{event("a\u2028b\u0085c\v\f\x00")}},
		{name: "blank lines alone", stream: "\n\r\r\n\n\n", want: nil},
		{name: "empty", stream: "", want: nil},

		// The byte order mark.
		{name: "BOM", stream: "\uFEFFdata: a\n\n", want: []sse.Event{event("a")}},
		{name: "BOM on a line of its own", stream: "\uFEFF\ndata: a\n\n", want: []sse.Event{event("a")}},
		{name: "only one BOM", stream: "\uFEFF\uFEFFdata: a\n\ndata: b\n\n", want: []sse.Event{event("b")}},
		{name: "BOM only at the start", stream: "data: a\n\n\uFEFFdata: b\n\ndata: c\n\n", want: []sse.Event{event("a"), event("c")}},
		{name: "BOM in text", stream: "data:\uFEFFa\n\n", want: []sse.Event{event("\uFEFFa")}},
		{name: "half a BOM", stream: "\xef\xbbdata: a\n\ndata: b\n\n", want: []sse.Event{event("b")}},

		// Fields.
		{name: "comments", stream: ":\n: x\n:data: a\n::\ndata: b\n: c\n\n", want: []sse.Event{event("b")}},
		{name: "unknown fields", stream: "foo: 1\nbar\ndata: a\n\n", want: []sse.Event{event("a")}},
		{name: "names are exact", stream: "Data: a\n data: b\ndata : c\ndat: d\ndatum: e\ndata: f\n\n", want: []sse.Event{event("f")}},
		{name: "only the first colon splits", stream: "data:a:b: c\n\n", want: []sse.Event{event("a:b: c")}},
		{name: "one space goes", stream: "data:\ta\ndata:   b \n\n", want: []sse.Event{event("\ta\n  b ")}},
		{name: "last event field wins", stream: "event: a\nevent: b\ndata: x\n\ndata: y\n\n",
			want: []sse.Event{named("b", "x"), event("y")}},
		{name: "an empty event field unnames", stream: "event: a\nevent\ndata: x\n\n", want: []sse.Event{event("x")}},
		{name: "a name without data is dropped", stream: "event: a\n\ndata: x\n\n", want: []sse.Event{event("x")}},
		{name: "the end drops what is incomplete", stream: "data: a\n\ndata: b\n", want: []sse.Event{event("a")}},
		{name: "the end drops a broken line", stream: "data: a\n\ndata: b", want: []sse.Event{event("a")}},

		// The last event ID.
		{name: "id is kept", stream: "id: 1\ndata: a\n\ndata: b\n\n", lastID: "1",
			want: []sse.Event{withID("1", "a"), event("b")}},
		{name: "id without data", stream: "id: 1\n\n", lastID: "1", want: nil},
		{name: "id without data goes on", stream: "id: 1\n\ndata: a\n\n", lastID: "1", want: []sse.Event{event("a")}},
		{name: "id cleared", stream: "id: 1\n\nid:\n\n", lastID: "", want: nil},
		{name: "last id wins", stream: "id: 1\nid: 2\ndata: a\n\n", lastID: "2", want: []sse.Event{withID("2", "a")}},
		{name: "last id wins, also a clearing", stream: "id: 1\nid\ndata: a\n\n", want: []sse.Event{cleared("a")}},
		{name: "id with NUL is ignored", stream: "id: 1\n\nid: 2\x00\ndata: a\n\n", lastID: "1", want: []sse.Event{event("a")}},
		{name: "id with NUL does not undo another", stream: "id: 1\nid: \x00\ndata: a\n\n", lastID: "1", want: []sse.Event{withID("1", "a")}},
		{name: "id of a broken event", stream: "id: 1\n\nid: 2\ndata: a\n", lastID: "1", want: nil},
		{name: "id with space", stream: "id:  1 \ndata\n\n", lastID: " 1 ", want: []sse.Event{withID(" 1 ", "")}},

		// The reconnection time.
		{name: "retry", stream: "retry: 1500\ndata: a\n\ndata: b\n\n", want: []sse.Event{retry(1500*time.Millisecond, "a"), event("b")}},
		{name: "retry is only digits", stream: "retry: 1.5\nretry: -1\nretry: +1\nretry: 1e3\nretry: 1 \nretry:  1\nretry: ٣\nretry:\nretry\ndata: a\n\n",
			want: []sse.Event{event("a")}},
		{name: "retry in base ten", stream: "retry:0010\ndata: a\n\n", want: []sse.Event{retry(10*time.Millisecond, "a")}},
		{name: "retry past a Duration", stream: "retry: 9223372036855\ndata: a\n\n", want: []sse.Event{retry(maxRetry, "a")}},
		{name: "retry past an int", stream: "retry: 99999999999999999999999\ndata: a\n\n", want: []sse.Event{retry(maxRetry, "a")}},

		// Bytes that are not UTF-8.
		{name: "replaced", stream: "event: \xff\nid: \xc3\ndata: a\xf0\x9f\x92b\n\n", lastID: "\uFFFD",
			want: []sse.Event{{ID: "\uFFFD", Name: "\uFFFD", Data: []byte("a\uFFFDb")}}},
		{name: "a line end ends half a character", stream: "data: \xe2\x82\ndata: \xac\n\n", want: []sse.Event{event("\uFFFD\n\uFFFD")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for how, src := range map[string]io.Reader{
				"whole":            strings.NewReader(tt.stream),
				"byte by byte":     iotest.OneByteReader(strings.NewReader(tt.stream)),
				"data with an EOF": iotest.DataErrReader(strings.NewReader(tt.stream)),
			} {
				r := sse.NewReader(src)
				got, err := readAll(r)
				if err != io.EOF {
					t.Errorf("%s: ended with %v", how, err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", how, diff)
				}
				if r.LastEventID() != tt.lastID {
					t.Errorf("%s: last event ID %q, want %q", how, r.LastEventID(), tt.lastID)
				}
			}
		})
	}
}

func TestReaderRetry(t *testing.T) {
	for _, tt := range []struct {
		stream string
		want   time.Duration
		ok     bool
	}{
		{"data: a\n\n", 0, false},
		{"retry: x\n\n", 0, false},
		{"retry: 0\n\n", 0, true},
		{"retry: 2000\ndata: a\n\ndata: b\n\n", 2 * time.Second, true},
		{"retry: 1\nretry: 2\n\nretry: x\n", 2 * time.Millisecond, true},
		// It takes effect with its line, unlike an id.
		{"retry: 7\n", 7 * time.Millisecond, true},
		{"retry: 7", 0, false},
	} {
		r := sse.NewReader(strings.NewReader(tt.stream))
		_, _ = readAll(r)
		if got, ok := r.Retry(); got != tt.want || ok != tt.ok {
			t.Errorf("%q: Retry = %v, %v, want %v, %v", tt.stream, got, ok, tt.want, tt.ok)
		}
	}
}

// steps is a source that gives its pieces one by one, and fails the test when
// it is asked for more than it has: a live stream would block there.
type steps struct {
	t      *testing.T
	pieces []string
}

func (s *steps) Read(b []byte) (int, error) {
	if len(s.pieces) == 0 {
		s.t.Fatal("the reader waits although the event is complete")
	}
	n := copy(b, s.pieces[0])
	s.pieces = s.pieces[1:]
	return n, nil
}

func TestReaderDoesNotWait(t *testing.T) {
	for _, pieces := range [][]string{
		{"data: a\n\n"},
		{"data: a\r\r"},
		{"data: a\r\n\r"}, // the LF of the last CRLF is still on its way
		{"data: a", "\r", "\n", "\r"},
		{"\xef", "\xbb\xbfdata: a\n\n"},
	} {
		src := &steps{t, pieces}
		r := sse.NewReader(src)
		e, err := r.Next()
		if err != nil || string(e.Data) != "a" || len(src.pieces) > 0 {
			t.Errorf("%q: Next = %q, %v", pieces, e.Data, err)
		}
		src.pieces = []string{"\ndata: b\n\n"} // now it comes
		if e, err := r.Next(); err != nil || string(e.Data) != "b" {
			t.Errorf("%q and more: Next = %q, %v", pieces, e.Data, err)
		}
	}
}

func TestReaderGivesEventsAway(t *testing.T) {
	r := sse.NewReader(strings.NewReader("data: first\n\ndata: other\n\n"))
	first, _ := r.Next()
	_ = append(first.Data, " and more"...)
	if other, err := r.Next(); err != nil || string(other.Data) != "other" || string(first.Data) != "first" {
		t.Errorf("events share memory: %q, %q, %v", first.Data, other.Data, err)
	}
}

func TestReaderPassesErrorsOn(t *testing.T) {
	reset := errors.New("connection reset")
	r := sse.NewReader(io.MultiReader(strings.NewReader("id: 1\ndata: a\n\nid: 2\ndata: b\n"), iotest.ErrReader(reset)))
	got, err := readAll(r)
	if diff := cmp.Diff([]sse.Event{{ID: "1", Data: []byte("a")}}, got); diff != "" || err != reset {
		t.Errorf("ended with %v (-want +got):\n%s", err, diff)
	}
	if _, again := r.Next(); again != reset || r.LastEventID() != "1" {
		t.Errorf("afterwards: %v, last event ID %q", again, r.LastEventID())
	}
}

// silence is a source that neither gives nor ends.
type silence struct{}

func (silence) Read([]byte) (int, error) { return 0, nil }

func TestReaderLosesPatience(t *testing.T) {
	if _, err := sse.NewReader(silence{}).Next(); err != io.ErrNoProgress {
		t.Errorf("a source that gives nothing: %v, want %v", err, io.ErrNoProgress)
	}
}
