package sse_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/navehub/nave/sse"
)

// payloads are a JSON event, a text of many lines, and a large event.
var payloads = map[string]sse.Event{
	"json of 300 B":  {ID: "k3v9x1-42", Name: "card.moved", Data: bytes.Repeat([]byte("x"), 300)},
	"100 lines":      {ID: "k3v9x1-42", Name: "log", Data: []byte(strings.Repeat("a line of text\n", 100))},
	"json of 64 KiB": {ID: "k3v9x1-42", Name: "board", Data: bytes.Repeat([]byte("x"), 64<<10)},
	"64 KiB of CR":   {Data: bytes.Repeat([]byte("\r"), 64<<10)},
}

func BenchmarkAppend(b *testing.B) {
	for name, e := range payloads {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(e.Data)))
			var buf []byte
			for b.Loop() {
				buf, _ = e.Append(buf[:0])
			}
		})
	}
}

// loop repeats a frame without end.
type loop struct {
	frame []byte
	at    int
}

func (l *loop) Read(b []byte) (int, error) {
	n := copy(b, l.frame[l.at:])
	l.at = (l.at + n) % len(l.frame)
	return n, nil
}

func BenchmarkReader(b *testing.B) {
	for name, e := range payloads {
		b.Run(name, func(b *testing.B) {
			frame, _ := e.Append(nil)
			r := sse.NewReader(&loop{frame: frame})
			b.ReportAllocs()
			b.SetBytes(int64(len(frame)))
			for b.Loop() {
				if _, err := r.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
