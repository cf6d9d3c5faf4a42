package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/navehub/nave"
)

// FuzzLines: every line that is not blank comes out once, in order, whole or as
// too large, however the body is cut on its way.
func FuzzLines(f *testing.F) {
	for _, seed := range []string{
		`{"topic":"a","type":"b"}` + "\n" + `{"topic":"a","type":"b"}`, "\n\n \r\n\t\n", "a\r\nb\rc\n", "", "\n", "\x00\n\xff",
		strings.Repeat("x", 100) + "\n" + "y", strings.Repeat("x\n", 100), strings.Repeat("x", 1000), " \u2028 \n\u0085\n",
	} {
		f.Add([]byte(seed), uint8(8), false)
		f.Add([]byte(seed), uint8(200), true)
	}
	f.Add([]byte("\n\n"), uint8(0), false)
	f.Fuzz(func(t *testing.T, body []byte, limit uint8, breaks bool) {
		for name, src := range map[string]io.Reader{
			"whole": bytes.NewReader(body), "byte by byte": iotest.OneByteReader(bytes.NewReader(body)),
			"in halves": iotest.HalfReader(bytes.NewReader(body)),
		} {
			broken := errors.New("broken off")
			if breaks {
				src = io.MultiReader(src, iotest.ErrReader(broken))
			}
			want := modelLines(body, int(limit), breaks)
			if got := readLines(t, src, int64(limit), broken); !slices.Equal(got, want) {
				t.Errorf("%q of at most %d bytes, %s, are read as\n%q, want\n%q", body, limit, name, got, want)
			}
		}
	})
}

const tooLargeLine = "\ntoo large" // which no line can be

// modelLines cuts a body that is all there.
func modelLines(body []byte, limit int, breaks bool) []string {
	parts := strings.SplitAfter(string(body), "\n")
	last := len(parts) - 1
	if breaks { // and with it the last line, which may have been longer
		parts = parts[:last]
	}
	var lines []string
	for _, line := range parts {
		switch {
		case len(line) > limit:
			lines = append(lines, tooLargeLine)
		case strings.TrimSpace(line) != "":
			lines = append(lines, line)
		}
	}
	return lines
}

func readLines(t *testing.T, src io.Reader, limit int64, broken error) (got []string) {
	r := httptest.NewRequest("POST", "/", src)
	h := &handler{Config: Config{Hub: fake{}, MaxBody: limit}}
	x := newExchange(h, httptest.NewRecorder(), r)
	lines := x.lines()
	defer lines.close()
	for range 10_000_000 {
		waiting := lines.waiting()
		line, err := lines.next()
		if waiting && (err == io.EOF || errors.Is(err, broken)) {
			t.Fatalf("a line was waiting, and then: %v", err)
		}
		switch {
		case err == io.EOF:
			return got
		case errors.Is(err, broken):
			if again, err := lines.next(); err != io.EOF {
				t.Fatalf("after the end of what can be read: %q, %v", again, err)
			}
			return got
		case nave.CodeOf(err) == nave.CodeTooLarge:
			got = append(got, tooLargeLine)
		case err != nil:
			t.Fatal(err)
		default:
			got = append(got, string(line))
		}
	}
	t.Fatal("no end")
	return nil
}
