package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"unicode"
)

// isTerminal reports whether a person is likely to look at w.
func isTerminal(w any) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// A palette colours text, or leaves it alone.
type palette bool

// paletteFor follows https://no-color.org.
func paletteFor(w io.Writer) palette {
	return palette(isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb")
}

const (
	bold   = "1"
	dim    = "2"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (p palette) paint(colour, text string) string {
	if !p || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// harmless replaces what a terminal would obey instead of showing it. In JSON it
// stays the same JSON.
func harmless(text string) string {
	const hex = "0123456789abcdef"
	if strings.IndexFunc(text, steers) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if steers(r) {
			b.WriteString(`\u` + string(hex[r>>12]) + string(hex[r>>8&15]) + string(hex[r>>4&15]) + string(hex[r&15]))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// steers reports whether a character does something to a terminal, or to the order of
// what stands beside it.
func steers(r rune) bool {
	return unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// invokedAs is how this program was called, so that what we tell people to type
// works when they do.
func invokedAs() string {
	name := os.Args[0]
	if strings.Contains(name, "go-build") {
		return "go run ./cmd/hub"
	}
	if _, err := exec.LookPath("hub"); err == nil || !strings.ContainsRune(name, os.PathSeparator) {
		return "hub"
	}
	return name
}

// until makes reads of in end with ctx. A read that is under way then is left
// behind: a terminal cannot be told to stop waiting.
func until(ctx context.Context, in io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		type result struct {
			text []byte
			err  error
		}
		read := make(chan result, 1)
		go func() { // ends with the input
			text := make([]byte, len(p))
			n, err := in.Read(text)
			read <- result{text[:n], err}
		}()
		select {
		case r := <-read:
			return copy(p, r.text), r.err
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
