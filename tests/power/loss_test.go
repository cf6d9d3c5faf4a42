package power

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestNothingSyncedIsLost tries the machines themselves: a cut may take what was
// not synced, and often does, and nothing else.
func TestNothingSyncedIsLost(t *testing.T) {
	for name, machine := range map[string]func(*testing.T, *rand.Rand) machine{
		"memory": func(_ *testing.T, random *rand.Rand) machine { return newMemory(random) },
		"disk":   func(t *testing.T, random *rand.Rand) machine { return newDisk(random, t.TempDir()) },
	} {
		t.Run(name, func(t *testing.T) {
			var all loss
			for seed := range uint64(25) {
				random := rand.New(rand.NewPCG(seed, 0))
				w := &writer{t: t, machine: machine(t, random), random: random, files: make(map[string]*model)}
				lost := w.untilTheCut()
				all.bytes += lost.bytes
				all.names += lost.names
				all.torn = all.torn || lost.torn
			}
			if all.bytes == 0 || all.names == 0 || !all.torn {
				t.Errorf("the cuts took only %+v", all)
			}
		})
	}
}

// A writer writes files and knows what is safe.
type writer struct {
	t *testing.T
	machine
	random *rand.Rand
	drive  *drive
	files  map[string]*model // by name
	gone   []string          // names that are safely gone
	going  []string          // names that are gone, but not safely
}

// A model is a file as it must be.
type model struct {
	vfs.File
	content []byte
	dirty   []bool // which bytes may be lost
	at      int    // where the next byte goes
	named   bool   // its name is safe
}

func (w *writer) untilTheCut() loss {
	s := newSupply()
	var err error
	w.drive, err = w.boot(s)
	w.must(err)
	w.must(w.drive.MkdirAll(w.place(), 0o750))
	w.must(syncDir(w.drive, w.drive.PathDir(w.place())))
	for i := range 10 + w.random.IntN(60) {
		w.step(i)
	}
	s.cut()
	for _, f := range w.files {
		f.Close()
	}
	lost, err := w.down()
	w.must(err)
	w.check()
	return lost
}

func (w *writer) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *writer) step(i int) {
	path := w.drive.PathJoin(w.place(), fmt.Sprintf("%03d.log", i))
	name, f := w.any()
	switch kind := w.random.IntN(10); {
	case f == nil || kind == 0:
		made, err := w.drive.Create(path, vfs.WriteCategoryUnspecified)
		w.must(err)
		w.files[path] = &model{File: made}
	case kind == 1:
		w.must(w.drive.Remove(name))
		w.forget(name)
	case kind == 2:
		w.reuse(name, path)
	case kind == 3:
		w.syncNames()
	case kind < 6:
		w.must(f.Sync())
		clear(f.dirty)
	default:
		w.must(f.write(bytes.Repeat([]byte{byte('a' + i%26)}, 1+w.random.IntN(3000))))
	}
}

func (w *writer) any() (string, *model) {
	if len(w.files) == 0 {
		return "", nil
	}
	names := slices.Sorted(maps.Keys(w.files))
	name := names[w.random.IntN(len(names))]
	return name, w.files[name]
}

func (w *writer) forget(name string) {
	w.files[name].Close()
	delete(w.files, name)
	w.going = append(w.going, name)
}

// reuse gives a file another name, and writes it anew from its beginning.
func (w *writer) reuse(from, to string) {
	f := w.files[from]
	reused, err := w.drive.ReuseForWrite(from, to, vfs.WriteCategoryUnspecified)
	w.must(err)
	w.forget(from)
	w.files[to] = &model{File: reused, content: f.content, dirty: f.dirty}
}

func (w *writer) syncNames() {
	w.must(syncDir(w.drive, w.place()))
	for _, f := range w.files {
		f.named = true
	}
	w.gone, w.going = append(w.gone, w.going...), nil
}

func (f *model) write(p []byte) error {
	for _, b := range p {
		if f.at == len(f.content) {
			f.content, f.dirty = append(f.content, 0), append(f.dirty, false)
		}
		f.content[f.at], f.dirty[f.at] = b, true
		f.at++
	}
	_, err := f.Write(p)
	return err
}

func (w *writer) check() {
	fs := w.boots()
	for path, f := range w.files {
		content, err := readAll(fs, path)
		if err != nil {
			if f.named {
				w.t.Errorf("%s is lost: %v", path, err)
			}
			continue
		}
		for i, b := range f.content {
			if !f.dirty[i] && (i >= len(content) || content[i] != b) {
				w.t.Errorf("%s has lost byte %d of %d, which was synced", path, i, len(f.content))
				break
			}
		}
	}
	for _, path := range w.gone {
		if _, err := fs.Stat(path); err == nil {
			w.t.Errorf("%s is back", path)
		}
	}
}

// boots is the disk after the cut.
func (w *writer) boots() vfs.FS {
	d, err := w.boot(newSupply())
	w.must(err)
	return d
}

func syncDir(fs vfs.FS, path string) error {
	dir, err := fs.OpenDir(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
