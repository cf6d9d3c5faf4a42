//go:build linux

package report

import (
	"bytes"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/navehub/nave/bench/load"
)

const pageBytes = 4 << 10

// syncTime is how long a write of a page and its sync take, over zeros that were
// written before, as the hub's log has them: a file that grows takes longer.
func syncTime(dir string) (p50, p99 time.Duration, err error) {
	const times = 200
	f, err := zeroed(filepath.Join(dir, "sync"), times*pageBytes)
	if err != nil {
		return 0, 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	page := bytes.Repeat([]byte("sync"), pageBytes/4)
	var h load.Histogram
	for i := range int64(times) {
		begin := load.Now()
		if _, err := f.WriteAt(page, i*pageBytes); err != nil {
			return 0, 0, err
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			return 0, 0, err
		}
		h.Record(load.Now() - begin)
	}
	return h.At(50), h.At(99), nil
}

// zeroed is a new file of zeros, on the disk already.
func zeroed(path string, size int) (*os.File, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(make([]byte, size))
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
