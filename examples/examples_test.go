// Package examples_test holds the examples to what they are to show: that
// little is enough.
package examples_test

import (
	"os"
	"strings"
	"testing"
)

func TestExamplesAreShort(t *testing.T) {
	for file, limit := range map[string]int{
		"embed/main.go":         15,
		"customactor/bridge.go": 40,
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := codeLines(string(text)); n >= limit {
			t.Errorf("%s has %d lines of code; it is to have fewer than %d", file, n, limit)
		}
	}
}

// codeLines counts what is to be written: neither imports, which an editor
// writes, nor comments and empty lines.
func codeLines(text string) int {
	_, text, _ = strings.Cut(text, "\n)\n") // the end of the imports
	n := 0
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			n++
		}
	}
	return n
}
