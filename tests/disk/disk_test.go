// Package disk tries what a disk can do to a hub: it is full, or fills up; it
// cannot be written; it holds something else, or another version's log, or the
// log of a hub that runs; and what it gives back is not what was written.
package disk

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

// classes gives every class of durability its topics.
const classes = "NAVE_TOPICS=[{filter: session/**, durability: memory}, {filter: ui/**, durability: transient}]"

// smallDisk is a disk of its own, of so many megabytes.
func smallDisk(t *testing.T, megabytes int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	mount(t, dir, "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", megabytes), "tmpfs")
	return dir
}

func mount(t *testing.T, dir string, args ...string) {
	t.Helper()
	trial.Need(t, os.Geteuid() == 0, "root, to mount a disk")
	if out, err := exec.CommandContext(t.Context(), "mount", append(args, dir)...).CombinedOutput(); err != nil {
		t.Fatalf("mount %s: %v: %s", dir, err, out)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
}

// hubOn runs a hub with its data below the directory.
func hubOn(t *testing.T, dir string, env ...string) *harness.Process {
	t.Helper()
	hub := trial.NewHub(t, trial.CheckedProgram(t), append(env, classes)...)
	hub.Data = filepath.Join(dir, "data")
	trial.Begin(t, hub)
	return hub
}

// fill takes what is left of a disk. What it returns gives it back.
func fill(t *testing.T, dir string) (release func()) {
	t.Helper()
	name := filepath.Join(dir, "of-somebody-else")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		_, err := f.Write(make([]byte, size))
		switch {
		case errors.Is(err, syscall.ENOSPC):
			size /= 2
		case err != nil:
			t.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// noise is a text that takes as many bytes on disk as it has.
func noise(size int) string {
	b := make([]byte, size/4*3)
	rand.Read(b)
	return base64.StdEncoding.EncodeToString(b)
}

func event(topic, id string, data any) harness.Event {
	return harness.Event{Topic: topic, Type: "happened", ID: id, Source: "disk", Data: data}
}
