package sse_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave/sse"
)

func TestEventAppend(t *testing.T) {
	for _, tt := range []struct {
		name  string
		event sse.Event
		want  string
	}{
		{"nothing", sse.Event{}, "data: \n\n"},
		{"data", sse.Event{Data: []byte("hello")}, "data: hello\n\n"},
		{"everything", sse.Event{ID: "a-1", Name: "card.moved", Data: []byte("{}"), Retry: 1500 * time.Millisecond},
			"id: a-1\nevent: card.moved\nretry: 1500\ndata: {}\n\n"},
		{"an id is cleared", sse.Event{ClearID: true}, "id: \ndata: \n\n"},
		{"an id stands before a clearing", sse.Event{ID: "1", ClearID: true}, "id: 1\ndata: \n\n"},
		{"LF", sse.Event{Data: []byte("a\nb")}, "data: a\ndata: b\n\n"},
		{"CR", sse.Event{Data: []byte("a\rb")}, "data: a\ndata: b\n\n"},
		{"CRLF", sse.Event{Data: []byte("a\r\nb")}, "data: a\ndata: b\n\n"},
		{"LFCR is two", sse.Event{Data: []byte("a\n\rb")}, "data: a\ndata: \ndata: b\n\n"},
		{"line ends alone", sse.Event{Data: []byte("\r\n\n")}, "data: \ndata: \ndata: \n\n"},
		{"leading spaces", sse.Event{ID: " 1", Name: " n", Data: []byte(" a\n  b")},
			"id:  1\nevent:  n\ndata:  a\ndata:   b\n\n"},
		{"colons", sse.Event{ID: ":", Name: "a:b", Data: []byte(":")}, "id: :\nevent: a:b\ndata: :\n\n"},
		{"other separators are text", sse.Event{Data: []byte("a\u2028b\u0085c\vd\fe\x00")},
			"data: a\u2028b\u0085c\vd\fe\x00\n\n"},
		{"a BOM is text", sse.Event{Name: "\uFEFF", Data: []byte("\uFEFF")}, "event: \uFEFF\ndata: \uFEFF\n\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.event.Append([]byte("before "))
			if want := "before " + tt.want; err != nil || string(got) != want {
				t.Errorf("Append = %q, %v, want %q", got, err, want)
			}
		})
	}
}

func TestEventAppendRefuses(t *testing.T) {
	for name, e := range map[string]sse.Event{
		"LF in id":          {ID: "1\ndata: smuggled"},
		"CR in id":          {ID: "1\rdata: smuggled"},
		"NUL in id":         {ID: "1\x00"},
		"id is not UTF-8":   {ID: "\xff"},
		"LF in name":        {Name: "a\n\ndata: smuggled"},
		"CR in name":        {Name: "a\r\rdata: smuggled"},
		"CRLF ends name":    {Name: "a\r\n"},
		"name is not UTF-8": {ID: "1", Name: "\xed\xa0\x80"},
		"data is not UTF-8": {ID: "1", Name: "a", Data: []byte("half \xc3")},
		"a megabyte of id":  {ID: strings.Repeat("\n", 1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := e.Append([]byte("before"))
			if !errors.Is(err, sse.ErrUnwritable) || string(got) != "before" {
				t.Fatalf("Append = %q, %v, want it refused", got, err)
			}
			if text := err.Error(); len(text) > 1000 || strings.ContainsAny(text, "\r\n\x00") {
				t.Errorf("the error is not fit for a log: %q", text)
			}
		})
	}
}

func TestAppendRetry(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                      "retry: 0\n",
		-time.Second:           "retry: 0\n",
		1:                      "retry: 1\n",
		time.Millisecond:       "retry: 1\n",
		time.Millisecond + 1:   "retry: 2\n",
		3 * time.Second:        "retry: 3000\n",
		math.MaxInt64:          "retry: 9223372036855\n",
		math.MinInt64:          "retry: 0\n",
		500 * time.Microsecond: "retry: 1\n",
	} {
		if got := string(sse.AppendRetry(nil, d)); got != want {
			t.Errorf("AppendRetry(%d) = %q, want %q", d, got, want)
		}
	}
}

func TestAppendComment(t *testing.T) {
	for text, want := range map[string]string{
		"":                        ": \n",
		"ping":                    ": ping\n",
		"a\nb\r\nc\rd":            ": a\n: b\n: c\n: d\n",
		"x\n\ndata: smuggled\n\n": ": x\n: \n: data: smuggled\n: \n: \n",
	} {
		if got := string(sse.AppendComment(nil, text)); got != want {
			t.Errorf("AppendComment(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	e := sse.Event{ID: "k3v9x1-42", Name: "card.moved", Data: []byte(strings.Repeat("{}\n", 100)), Retry: time.Second}
	comment := strings.Repeat("heartbeat\n", 10)
	b := make([]byte, 0, 4096)
	got := testing.AllocsPerRun(100, func() {
		b, _ = e.Append(b[:0])
		b = sse.AppendComment(b, comment)
	})
	if got != 0 {
		t.Errorf("Append allocates %v times", got)
	}
}
