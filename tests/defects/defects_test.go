// Package defects tries the trials: each defect that is put into a copy of the
// hub must be caught by the trial that is there for it. A trial that cannot fail
// shows nothing.
package defects

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave/tests/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

// root is where go.mod is.
const root = "../.."

// A defect is a change of some places in the hub. Its files are not touched: the
// compiler is told to see others in their place.
type defect struct {
	name  string
	edits []edit
	trial []string // arguments of go test
	says  string   // what the trial prints about it, as a regular expression
}

type edit struct{ file, old, new string }

// TestDefectsCanBePutIn checks that the places still are where they were.
func TestDefectsCanBePutIn(t *testing.T) {
	for _, d := range all {
		for _, e := range d.edits {
			if _, err := e.apply(); err != nil {
				t.Errorf("%s: %v", d.name, err)
			}
		}
	}
}

// TestEveryDefectIsCaught puts in one after the other. It takes minutes.
func TestEveryDefectIsCaught(t *testing.T) {
	if !trial.Long() {
		t.Skip("only in the long form: make defects")
	}
	table := trial.NewTable(t, "defects", "defects put into a copy of the hub, and what caught them")
	for _, d := range all {
		t.Run(d.name, func(t *testing.T) {
			start := time.Now()
			out, caught := d.try(t)
			line := regexp.MustCompile(d.says).FindString(out)
			if !caught || line == "" {
				t.Errorf("it is not caught by go test %s; want %q:\n%s", strings.Join(d.trial, " "), d.says, tail(out, 60))
				line = "nothing"
			}
			t.Logf("%v: %s", time.Since(start).Round(time.Second), line)
			table.Row(d.name, "caught by "+strings.TrimPrefix(d.trial[0], "./"), "%s", short(line))
		})
	}
}

// short is a line of a test without the place that printed it.
func short(line string) string {
	line = regexp.MustCompile(`^\s*\S+_test\.go:\d+: (seed \d+: )?`).ReplaceAllString(line, "")
	if r := []rune(line); len(r) > 70 {
		line = string(r[:70]) + "…"
	}
	return strings.TrimSpace(line)
}

// apply is the file as it is after the edit.
func (e edit) apply() (string, error) {
	text, err := os.ReadFile(filepath.Join(root, e.file))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), e.old); n != 1 {
		return "", fmt.Errorf("%s has %q %d times, want once", e.file, e.old, n)
	}
	return strings.Replace(string(text), e.old, e.new, 1), nil
}

// try runs the trial over the defect, and reports whether it failed, which it has
// to, and not because it could not be built.
func (d defect) try(t *testing.T) (out string, caught bool) {
	t.Helper()
	overlay := d.overlay(t)
	args := append([]string{"test", "-count=1"}, d.trial...)
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOFLAGS=-overlay="+overlay, "FIGURES=") // for the hub that the trial builds, too
	text, err := cmd.CombinedOutput()
	if strings.Contains(string(text), "[build failed]") || strings.Contains(string(text), "build the hub") {
		t.Fatalf("the defect cannot be built:\n%s", tail(string(text), 30))
	}
	return string(text), err != nil
}

// overlay writes the files with the defect, and what tells the compiler of them.
func (d defect) overlay(t *testing.T) (name string) {
	t.Helper()
	dir := t.TempDir()
	replace := make(map[string]string)
	for i, e := range d.edits {
		text, err := e.apply()
		if err != nil {
			t.Fatal(err)
		}
		original, err := filepath.Abs(filepath.Join(root, e.file))
		if err != nil {
			t.Fatal(err)
		}
		replace[original] = filepath.Join(dir, fmt.Sprint(i, filepath.Base(e.file)))
		write(t, replace[original], []byte(text))
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	name = filepath.Join(dir, "overlay.json")
	write(t, name, list)
	return name
}

func write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// tail is the last lines of a text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
