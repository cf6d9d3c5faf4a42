package degrade

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/navehub/nave"
	"github.com/navehub/nave/tests/trial"
)

// A disk is one of its own, that can be made slow, and broken, and mended: an ext4 file
// system in a file.
type disk struct {
	*testing.T
	image, dir string
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	trial.Need(t, os.Geteuid() == 0, "root, to mount a disk")
	for _, program := range []string{"mkfs.ext4", "losetup", "mount"} {
		_, err := exec.LookPath(program)
		trial.Need(t, err == nil, program)
	}
	d := &disk{t, filepath.Join(t.TempDir(), "image"), t.TempDir()}
	d.run("truncate", "-s", "512M", d.image)
	d.run("mkfs.ext4", "-q", d.image)
	d.mount()
	t.Cleanup(d.unmount)
	return d
}

func (d *disk) run(name string, args ...string) string {
	d.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		d.Fatalf("%s: %v: %s", name, err, out)
	}
	return strings.TrimSpace(string(out))
}

// mount puts the disk into its folder, by a device of its own: one whose file system has
// failed keeps that, as long as somebody has files open there.
func (d *disk) mount() {
	d.Helper()
	device := d.run("losetup", "--find", "--show", d.image)
	d.Cleanup(func() { _ = exec.Command("losetup", "--detach", device).Run() }) // by itself, once nobody uses it
	d.run("mount", device, d.dir)
}

// unmount takes the disk out of its folder; who has files open there keeps them.
func (d *disk) unmount() {
	if err := syscall.Unmount(d.dir, syscall.MNT_DETACH); err != nil {
		d.Errorf("unmount: %v", err)
	}
}

// Of linux/fs.h and ext4.h.
const (
	ioctlFreeze   = 0xc0045877 // FIFREEZE
	ioctlThaw     = 0xc0045878 // FITHAW
	ioctlShutdown = 0x8004587d // EXT4_IOC_SHUTDOWN
)

// control asks something of the file system.
func (d *disk) control(what uintptr, argument uint32) {
	d.Helper()
	f, err := os.Open(d.dir)
	if err != nil {
		d.Fatal(err)
	}
	defer f.Close()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), what, uintptr(unsafe.Pointer(&argument))); errno != 0 {
		d.Fatalf("ioctl %x: %v", what, errno)
	}
}

// stutter has the disk take nothing for a while, and then work for a while.
func (d *disk) stutter(stop, run time.Duration) {
	d.Helper()
	d.control(ioctlFreeze, 0)
	time.Sleep(stop)
	d.control(ioctlThaw, 0)
	time.Sleep(run)
}

// fail has every write fail from now on, as those to a disk that is gone.
func (d *disk) fail() {
	const withoutLog = 2 // EXT4_GOING_FLAGS_NOLOGFLUSH: as a power cut
	d.control(ioctlShutdown, withoutLog)
}

// mend puts the disk back, with what had been synced.
func (d *disk) mend() {
	d.Helper()
	d.unmount()
	d.mount()
}

// The disk becomes slow, then fails, then heals.
func TestDiskBecomesSlowFailsAndHeals(t *testing.T) {
	clients := trial.Pick(50, 500)
	d := newDisk(t)
	table := trial.NewTable(t, "slow-disk", "the disk becomes slow, fails, and heals")
	hub := trial.NewHub(t, trial.CheckedProgram(t), hold())
	hub.Data = filepath.Join(d.dir, "data")
	trial.Begin(t, hub)
	all := gather(t, hub, clients)
	levels := watchLevel(t, hub)
	load := publish(t, hub, 2*time.Millisecond, number)
	time.Sleep(time.Second)

	for i := 0; i < 60 && (i < trial.Pick(1, 40) || levels.latest() == nave.LevelNormal); i++ {
		// The publisher waits, and so has one event in each stop: more than a hundredth of all.
		d.stutter(700*time.Millisecond, 100*time.Millisecond)
	}
	slow := levels.worst()
	d.fail()
	levels.await(30*time.Second, nave.LevelShed, nave.LevelConserve, nave.LevelPolling)
	time.Sleep(3 * time.Second)
	d.mend()
	mended := time.Now()
	levels.await(3*time.Minute, nave.LevelNormal)
	back := time.Since(mended)
	want := load.end()

	table.Row("clients", "", "%d", clients)
	table.Row("events acknowledged", "", "%d", len(want))
	table.Row("tries of the publisher that were refused", "", "%d", load.refused)
	table.Row("the longest that one event took", "", "%v", load.longest.Round(time.Millisecond))
	levels.tell(table)
	all.heard(table)
	table.Row("from its being mended to normal", "", "%v", back.Round(100*time.Millisecond))
	all.judge(table, want)
	if slow == nave.LevelNormal {
		t.Error("a slow disk has changed nothing")
	}
}
