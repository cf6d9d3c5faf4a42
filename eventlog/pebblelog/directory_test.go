package pebblelog

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/navehub/nave"
)

func refuses(t *testing.T, dir string, words ...string) {
	t.Helper()
	refusal(t, vfs.Default, dir, words...)
}

// refusal is the error of an open, in one line with the words.
func refusal(t *testing.T, fs vfs.FS, dir string, words ...string) error {
	t.Helper()
	l, err := Open(ctx, dir, Options{FS: fs, Logger: quiet})
	if err == nil {
		l.Close()
		t.Fatalf("the directory was opened, want an error with %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not say %q", err, word)
		}
	}
	if text := fmt.Sprintf("%+v", err); strings.Contains(text, "\n") {
		t.Errorf("error %q has more than a line", text)
	}
	return err
}

func newLog(t *testing.T) (dir string) {
	dir = filepath.Join(t.TempDir(), "deep", "down")
	l, err := Open(ctx, dir, Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, l, one(nave.Durable, "a"))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDirectoryInUse(t *testing.T) {
	if dir := os.Getenv("PEBBLELOG_TEST_DIR"); dir != "" { // the other process
		refuses(t, dir, dir, "in use by another hub")
		return
	}
	dir := newLog(t)
	l, err := Open(ctx, dir, Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	refuses(t, dir, dir, "in use by another hub")
	other := exec.Command(os.Args[0], "-test.run=^TestDirectoryInUse$")
	other.Env = append(os.Environ(), "PEBBLELOG_TEST_DIR="+dir)
	if out, err := other.CombinedOutput(); err != nil {
		t.Errorf("in another process: %v\n%s", err, out)
	}
}

func TestOtherFormat(t *testing.T) {
	dir := newLog(t)
	writeFile(t, filepath.Join(dir, markName), "nave event log, format 3\n")
	refuses(t, dir, dir, "format 3", "newer")
	writeFile(t, filepath.Join(dir, markName), "nave event log, format 1\n")
	refuses(t, dir, dir, "format 1", "older")
}

// Certificates may be there before the log is.
func TestDirectoryOfCertificates(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "acme"), 0o700); err != nil {
		t.Fatal(err)
	}
	log, err := Opener(dir, Options{})(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Error(err)
	}
}

func TestDirectoryOfSomethingElse(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "holiday.jpg"), "")
	refuses(t, dir, dir, "something else", "holiday.jpg")
	if names, _ := os.ReadDir(dir); len(names) != 1 {
		t.Errorf("the directory has %v now, want it untouched", names)
	}

	dir = newLog(t)
	writeFile(t, filepath.Join(dir, markName), "something\n")
	refuses(t, dir, dir, "not a log")
}

// A hub that is killed while it makes a log for the second time, having been killed
// at that before, makes it the third time.
func TestKilledWhileMaking(t *testing.T) {
	dir := newLog(t)
	mark := filepath.Join(dir, newMarkName)
	if err := os.Rename(filepath.Join(dir, markName), mark); err != nil { // it had come so far
		t.Fatal(err)
	}
	refusal(t, killedBeforeWriting{vfs.Default, mark}, dir, "killed")
	l, err := Open(ctx, dir, Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// killedBeforeWriting ends all that happens once the file is open to be written.
type killedBeforeWriting struct {
	vfs.FS
	file string
}

var errKilled = errors.New("killed")

func (fs killedBeforeWriting) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if name == fs.file {
		return nil, errors.Join(os.Remove(name), errKilled) // as vfs.Default begins
	}
	return fs.FS.Create(name, category)
}

func (fs killedBeforeWriting) OpenReadWrite(name string, category vfs.DiskWriteCategory, options ...vfs.OpenOption) (vfs.File, error) {
	f, err := fs.FS.OpenReadWrite(name, category, options...)
	if name == fs.file && err == nil {
		return nil, errors.Join(f.Close(), errKilled)
	}
	return f, err
}

func TestDirectoryIsAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, "")
	refuses(t, file, file)
}

func TestDamage(t *testing.T) {
	dir := newLog(t)
	manifests, err := filepath.Glob(filepath.Join(dir, "MANIFEST-*"))
	if err != nil || len(manifests) == 0 {
		t.Fatal(manifests, err)
	}
	for _, m := range manifests {
		writeFile(t, m, strings.Repeat("x", 100))
	}
	refuses(t, dir, dir, "damaged")
}

func TestLostManifest(t *testing.T) {
	dir := newLog(t)
	markers, err := filepath.Glob(filepath.Join(dir, "marker.manifest.*"))
	if err != nil || len(markers) == 0 {
		t.Fatal(markers, err)
	}
	for _, m := range markers {
		if err := os.Remove(m); err != nil {
			t.Fatal(err)
		}
	}
	refuses(t, dir, dir, "damaged")
}
