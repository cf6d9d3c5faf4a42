package power

import (
	"math/rand/v2"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A machine has the disk that the hub's log is on, through all power cuts.
type machine interface {
	// place is the directory of the log.
	place() string
	// boot is the disk as the hub of the next run gets it, and sees to it that a
	// cut of the supply loses what it may.
	boot(s *supply) (*drive, error)
	// down leaves the disk as the cut did. The power is off, and the hub is gone.
	down() (loss, error)
}

// A loss is what a power cut took.
type loss struct {
	bytes int64 // that were written and not synced
	names int   // changes of a directory that was not synced
	torn  bool  // a WAL has only a part of what was not synced, or others in its place
}

// hurt damages the stretch of the content from any byte on: the file ends there,
// or has zeros there for a while, or garbage.
func hurt(content []byte, s stretch, random *rand.Rand) []byte {
	from := s.from + random.Int64N(s.to-s.from)
	to := from + 1 + random.Int64N(s.to-from)
	switch kind := random.IntN(3); {
	case kind == 0 && s.to == int64(len(content)): // or what was synced would go too
		return content[:from]
	case kind == 1:
		for i := from; i < to; i++ {
			content[i] = byte(random.Uint32())
		}
	default:
		clear(content[from:to])
	}
	return content
}

// missing counts the bytes of the stretches that are not as they were written.
func missing(dirty []stretch, was, is []byte) int64 {
	lost := make(map[int64]bool)
	for _, s := range dirty {
		for i := s.from; i < min(s.to, int64(len(was))); i++ {
			if i >= int64(len(is)) || is[i] != was[i] {
				lost[i] = true
			}
		}
	}
	return int64(len(lost))
}

func readAll(fs vfs.FS, path string) ([]byte, error) {
	info, err := fs.Stat(path)
	if err != nil {
		return nil, err
	}
	f, err := fs.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content := make([]byte, info.Size())
	if len(content) == 0 {
		return content, nil
	}
	_, err = f.ReadAt(content, 0)
	return content, err
}
