package pebblelog

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/navehub/nave"
)

// A sync that has to write down how long the file is now takes twice as long.
func TestCommitsDoNotGrowTheLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	for range 2 { // also when it is opened again
		l, err := Open(ctx, dir, Options{Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // Pebble asks for room at the second write
			mustAppend(t, l, one(nave.Durable, "a"))
		}
		before := lengthOfLog(t, dir)
		for range 100 {
			mustAppend(t, l, one(nave.Durable, "a"))
		}
		if after := lengthOfLog(t, dir); after != before || after < memTableBytes {
			t.Errorf("100 commits made the log %d bytes long, and it was %d before", after, before)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// fullFile has no room beyond so many bytes.
type fullFile struct {
	vfs.File
	room int64
}

func (f fullFile) WriteAt(p []byte, offset int64) (int, error) {
	if offset+int64(len(p)) > f.room {
		return 0, syscall.ENOSPC
	}
	return f.File.WriteAt(p, offset)
}

// Zeros are a convenience: where there is no room for them nothing is broken, and
// where something is broken there come none.
func TestZerosInAdvanceAreNoFault(t *testing.T) {
	f, err := vfs.Default.Create(filepath.Join(t.TempDir(), "log"), vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	length := func() int64 {
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	var broken fault
	log := failStopFile{fullFile{f, 3 * int64(len(zeros))}, &broken}
	if err := log.Preallocate(0, 4*int64(len(zeros))); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk: %v, want %v", err, syscall.ENOSPC)
	}
	if err := broken.err(); err != nil || length() != 3*int64(len(zeros)) {
		t.Errorf("a full disk is a fault: %v, and the file %d bytes long", err, length())
	}
	broken.set(errors.New("broken"))
	before := length()
	if err := (failStopFile{f, &broken}).Preallocate(0, 5*int64(len(zeros))); err != nil || length() != before {
		t.Errorf("after a fault zeros are written: %v, and the file is %d bytes long, not %d", err, length(), before)
	}
}

// lengthOfLog is that of the file that commits go to.
func lengthOfLog(t *testing.T, dir string) int64 {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	info, err := os.Stat(files[len(files)-1])
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
