package trial

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A Table says what was tried and found. It is printed when the test ends,
// however it ends.
type Table struct {
	t     testing.TB
	name  string
	title string
	rows  [][3]string
	start time.Time
}

// NewTable begins the table of a trial, and with it the trial: how long that took is
// the time from here to the end of the test. The name says where it goes in
// docs/reliability.md: between <!-- name --> and <!-- /name -->.
func NewTable(t testing.TB, name, title string) *Table {
	table := &Table{t: t, name: name, title: title, start: time.Now()}
	t.Cleanup(table.end)
	return table
}

// Row adds a line: what, what there must be, and what there is. A mere figure has
// no must.
func (t *Table) Row(what, must, format string, args ...any) {
	t.rows = append(t.rows, [3]string{what, fmt.Sprintf(format, args...), must})
}

// Count adds what must not be there at all, and fails the test if it is.
func (t *Table) Count(what string, n int) {
	t.t.Helper()
	t.Row(what, "0", "%d", n)
	if n != 0 {
		t.t.Errorf("%s: %d", what, n)
	}
}

// AtMost adds what took some time, and fails the test if that is too long.
func (t *Table) AtMost(what string, limit, took time.Duration) {
	t.t.Helper()
	t.Row(what, fmt.Sprintf("%v or less", limit), "%v", took.Round(time.Millisecond))
	if took > limit {
		t.t.Errorf("%s: %v", what, took)
	}
}

func (t *Table) end() {
	if err := t.print(); err != nil {
		t.t.Error(err)
	}
	if *record && !t.t.Failed() && !t.t.Skipped() {
		if err := t.write(); err != nil {
			t.t.Error(err)
		}
	}
}

// String is the table in Markdown, wide enough to be read as it is.
func (t *Table) String() string {
	rows := append([][3]string{{t.title, "found", "must be"}}, t.rows...)
	var width [3]int
	for _, r := range rows {
		for i := range r {
			width[i] = max(width[i], len([]rune(r[i])))
		}
	}
	var b strings.Builder
	for i, r := range rows {
		fmt.Fprintf(&b, "| %-*s | %*s | %-*s |\n", width[0], r[0], width[1], r[1], width[2], r[2])
		if i == 0 {
			fmt.Fprintf(&b, "|%s|%s:|%s|\n", dashes(width[0]+2), dashes(width[1]+1), dashes(width[2]+2))
		}
	}
	return b.String()
}

func dashes(n int) string { return strings.Repeat("-", n) }

// print logs the table, or adds it to the file that FIGURES names, as go test keeps
// the log of a test that passes to itself.
func (t *Table) print() error {
	name := os.Getenv("FIGURES")
	if name == "" {
		t.t.Log("\n" + t.String())
		return nil
	}
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString("\n" + t.String())
	return errors.Join(err, file.Close())
}

// write puts the table into docs/reliability.md.
func (t *Table) write() error {
	name, err := page()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	begin, end := "<!-- "+t.name+" -->\n", "<!-- /"+t.name+" -->"
	before, rest, found := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return fmt.Errorf("%s has no place for the table: %s… %s", name, begin, end)
	}
	when := fmt.Sprintf("The %s form, %s, %d cores, %s, %v.\n\n", Pick("short", "long"), t.start.Format(time.DateOnly),
		runtime.NumCPU(), runtime.Version(), time.Since(t.start).Round(time.Second))
	return os.WriteFile(name, []byte(before+begin+when+t.String()+end+after), 0o644)
}

// page finds docs/reliability.md from where the test runs.
func page() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "docs", "reliability.md"), nil
		}
		if filepath.Dir(dir) == dir {
			return "", fmt.Errorf("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}
