package pebblelog

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// headName is a file that says how many of the log's commits have been
// acknowledged. A write-ahead log that ends too early looks to Pebble like one
// that a crash cut short, whether its end was never synced, or was and is damaged
// or gone. This file knows the difference.
//
// It is written after a commit was synced and is never synced itself: that costs
// next to nothing, and after a power cut it may say too little, but not too much.
const headName = "NAVE-HEAD"

const headFormat = "%020d %08x\n"

type headFile struct {
	file vfs.File
	text []byte
}

// openHead opens the file, and makes it if there is none.
func openHead(fs vfs.FS, dir string) (h *headFile, acknowledged uint64, err error) {
	file, err := fs.OpenReadWrite(fs.PathJoin(dir, headName), vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, 0, err
	}
	text, err := io.ReadAll(io.LimitReader(file, 64))
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return &headFile{file: file}, parseHead(text), nil
}

// parseHead is 0 for a text that says nothing: a power cut may leave any.
func parseHead(text []byte) (acknowledged uint64) {
	var sum uint32
	if _, err := fmt.Sscanf(string(text), headFormat, &acknowledged, &sum); err != nil || sum != headSum(acknowledged) {
		return 0
	}
	return acknowledged
}

func headSum(acknowledged uint64) uint32 {
	return crc32.ChecksumIEEE(fmt.Appendf(nil, "%020d", acknowledged))
}

func (h *headFile) write(acknowledged uint64) error {
	h.text = fmt.Appendf(h.text[:0], headFormat, acknowledged, headSum(acknowledged))
	_, err := h.file.WriteAt(h.text, 0)
	return err
}

func (h *headFile) close() error {
	if h == nil {
		return nil
	}
	return h.file.Close()
}
