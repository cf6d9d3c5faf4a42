package sse

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// endless repeats a text and counts how much of it was read.
type endless struct {
	text string
	n    int
}

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = e.text[(e.n+i)%len(e.text)]
	}
	e.n += len(b)
	return len(b), nil
}

func TestReaderBoundsMemory(t *testing.T) {
	const limit = 100 << 10
	for name, text := range map[string]string{
		"a line without end":    "data: aaaa",
		"an event without end":  "data: aaaa\n",
		"empty data lines":      "data\n",
		"a comment without end": ":",
		"CR only":               "data: aaaa\r",
		"nothing but BOM":       "\uFEFF",
	} {
		t.Run(name, func(t *testing.T) {
			src := &endless{text: text}
			r := NewReader(src)
			r.MaxEventBytes = limit
			if _, err := r.Next(); err != ErrTooLarge {
				t.Fatalf("Next: %v, want %v", err, ErrTooLarge)
			}
			if _, err := r.Next(); err != ErrTooLarge {
				t.Errorf("Next again: %v: the error is not final", err)
			}
			if got := len(r.lines.buf) + cap(r.data); got > 4*limit {
				t.Errorf("a limit of %d cost %d bytes", limit, got)
			}
			if most := limit * len("data\n"); src.n > 2*most {
				t.Errorf("it read %d bytes before it gave up", src.n)
			}
		})
	}
}

func TestReaderLimit(t *testing.T) {
	for _, tt := range []struct {
		stream string
		limit  int
		ok     bool
	}{
		{"data: 4567890\n\n", 13, true},
		{"data: 4567890\n\n", 12, false},
		{"data:1\ndata:2\n\n", 8, true}, // "1\n" and the second line
		{"data:1\ndata:2\n\n", 7, false},
		{"event:1\ndata:2\n\n", 8, true},
		{"event:1\ndata:2\n\n", 7, true},
		{"event:1\ndata:2\n\n", 6, false},
		{"data:1\n\ndata:2\n\ndata:3\n\n", 6, true}, // each event anew
		{": comment\n\n", 8, false},
		{"1234", 3, false}, // even if no line end ever comes
	} {
		for how, src := range map[string]io.Reader{
			"whole":        strings.NewReader(tt.stream),
			"byte by byte": iotest.OneByteReader(strings.NewReader(tt.stream)),
		} {
			r := NewReader(src)
			r.MaxEventBytes = tt.limit
			var err error
			for err == nil {
				_, err = r.Next()
			}
			if want := map[bool]error{true: io.EOF, false: ErrTooLarge}[tt.ok]; err != want {
				t.Errorf("%q with a limit of %d, %s: %v, want %v", tt.stream, tt.limit, how, err, want)
			}
		}
	}
}

func TestReaderDefaultLimit(t *testing.T) {
	for size, want := range map[int]error{
		DefaultMaxEventBytes:     nil,
		DefaultMaxEventBytes + 1: ErrTooLarge,
	} {
		line := "data:" + strings.Repeat("x", size-len("data:"))
		r := NewReader(strings.NewReader(line + "\n\n"))
		if _, err := r.Next(); err != want {
			t.Errorf("a line of %d bytes: %v, want %v", size, err, want)
		}
	}
}

func TestReaderGivesBufferBack(t *testing.T) {
	large := "data: " + strings.Repeat("x", 1<<20) + "\n\n"
	r := NewReader(io.MultiReader(strings.NewReader(large), strings.NewReader("data: small\n\n")))
	for range 2 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(r.lines.buf); got > keepBuffer {
		t.Errorf("after an event of a megabyte the reader keeps %d bytes", got)
	}
}

func TestDecode(t *testing.T) {
	// The first four are tables 3-8 to 3-11 of the Unicode Standard, "U+FFFD
	// substitution of maximal subparts".
	for in, want := range map[string]string{
		"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82A": "????????A",
		"\xED\xA0\x80\xED\xBF\xBF\xED\xAFA": "????????A",
		"\xF4\x91\x92\x93\xFFA\x80\xBFB":    "?????A??B",
		"\xE1\x80\xE2\xF0\x91\x92\xF1\xBFA": "????A",
		"\xF0\x9F\x92":                      "?",
		"\xF0\x9F\x92\xA9":                  "\U0001F4A9",
		"a\uFFFDb\xFF":                      "a?b?",
		"é\xC3é":                            "é?é",
	} {
		if got := string(decode([]byte(in))); got != strings.ReplaceAll(want, "?", "\uFFFD") {
			t.Errorf("decode(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLineEnd(t *testing.T) {
	for _, before := range []int{0, 1, 511, 512, 513, 1024, 5000} {
		for _, after := range []string{"\n", "\r", "\r\n", "\n\r", "\rx\n", "\nx\r"} {
			text := []byte(strings.Repeat("x", before) + after)
			if got := lineEnd(text); got != before {
				t.Errorf("line end %q after %d bytes found at %d", after, before, got)
			}
			if got := lineEnd(text[:before]); got != -1 {
				t.Errorf("no line end in %d bytes, but found at %d", before, got)
			}
		}
	}
}
