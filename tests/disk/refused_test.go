package disk

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave/tests/trial"
)

// A directory that will not do is refused at once, in a sentence that says what
// is wrong with which directory, and is left as it is.
func TestRefusedDirectories(t *testing.T) {
	table := trial.NewTable(t, "refused", "directories that cannot be a hub's")
	for _, test := range []struct {
		what  string
		make  func(t *testing.T, dir string) (data string, after func())
		words []string
	}{
		{"in use by another hub", usedByAnother, []string{"in use by another hub", "--data"}},
		{"on a disk that is mounted read-only", readOnly, []string{"read-only", "needs to write"}},
		{"on a disk that is full", full, []string{"no space left", "--data"}},
		{"of something else", ofSomethingElse, []string{"holds something else", "holiday.jpg"}},
		{"of a log of a newer format", ofFormat("9"), []string{"format 9", "newer"}},
		{"of a log of an older format", ofFormat("0"), []string{"format 0", "older"}},
		{"that is a file", aFile, []string{"is a file"}},
	} {
		t.Run(test.what, func(t *testing.T) {
			data, after := test.make(t, t.TempDir())
			before := contents(t, data)
			took, said := refusal(t, data)
			for _, word := range append(test.words, data) {
				if !strings.Contains(said, word) {
					t.Errorf("the hub says %q, want %q in it", said, word)
				}
			}
			if now := contents(t, data); now != before {
				t.Errorf("the directory had %s before, and has %s now", before, now)
			}
			after()
			_, said, _ = strings.Cut(said, "hub: ")
			t.Logf("%v: %s", took.Round(time.Millisecond), said)
			table.Row(test.what, "exit code 1", "%v", took.Round(10*time.Millisecond))
		})
	}
}

// refusal is what a hub prints that does not start.
func refusal(t *testing.T, data string) (took time.Duration, said string) {
	t.Helper()
	hub := trial.NewHub(t, trial.Program(t))
	hub.Data = data
	start := time.Now()
	if err := hub.Start(trial.Soon(t)); err == nil || !strings.Contains(err.Error(), "exit status 1") {
		t.Fatalf("the hub starts: %v", err)
	}
	said = strings.TrimSpace(hub.Output())
	if n := strings.Count(said, "\n"); n > 0 {
		t.Errorf("it says more than one line:\n%s", said)
	}
	return time.Since(start), said
}

// contents are the names of what is there, without the tables that a full disk did
// not take: the next hub removes them.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() != "LOCK" && filepath.Ext(path) != ".sst" {
			all = append(all, path)
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Join(all, ", ")
}

func usedByAnother(t *testing.T, dir string) (string, func()) {
	hub := hubOn(t, dir)
	return hub.Data, func() { trial.Publish(t, hub, event("cards/1", "1", "it goes on")) }
}

func readOnly(t *testing.T, dir string) (string, func()) {
	data := withLog(t, dir)
	mount(t, dir, "--bind", dir)
	if out, err := exec.CommandContext(t.Context(), "mount", "-o", "remount,bind,ro", dir).CombinedOutput(); err != nil {
		t.Fatalf("mount read-only: %v: %s", err, out)
	}
	return data, func() {}
}

func full(t *testing.T, _ string) (string, func()) {
	dir := smallDisk(t, 32)
	data := withLog(t, dir)
	release := fill(t, dir)
	return data, func() {
		release()
		hub := hubOn(t, dir, "NAVE_LOG_MIN_FREE=0")
		if _, text := trial.Get(t, hub, "/v1/state?topic=cards/*"); !strings.Contains(text, `"one"`) {
			t.Errorf("with room again the state is %s", text)
		}
	}
}

func ofSomethingElse(t *testing.T, dir string) (string, func()) {
	write(t, filepath.Join(dir, "holiday.jpg"), "not an event")
	return dir, func() {}
}

func ofFormat(format string) func(t *testing.T, dir string) (string, func()) {
	return func(t *testing.T, dir string) (string, func()) {
		data := withLog(t, dir)
		write(t, filepath.Join(data, "NAVE-LOG"), "nave event log, format "+format+"\n")
		return data, func() {}
	}
}

func aFile(t *testing.T, dir string) (string, func()) {
	name := filepath.Join(dir, "data")
	write(t, name, "")
	return name, func() {}
}

// withLog has a hub make a log in the directory, and end.
func withLog(t *testing.T, dir string) (data string) {
	t.Helper()
	hub := hubOn(t, dir, "NAVE_LOG_MIN_FREE=0")
	e := event("cards/1", "1", "one")
	e.Key = "card-1"
	trial.Publish(t, hub, e)
	if err := hub.Terminate(); err != nil {
		t.Fatal(err)
	}
	return hub.Data
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
