package pebblelog

import (
	"os"
	"path/filepath"
	"testing"

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
