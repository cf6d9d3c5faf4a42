//go:build linux

package report

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// machine is what was measured on, and how busy it was with other things.
type machine struct {
	begin  time.Time
	commit string
	sync   time.Duration // that one takes; sync99 is the 99th percentile
	sync99 time.Duration
	memory int64
	kernel string
	busy   time.Duration // of all processors, until now
	ours   time.Duration
	others float64 // share of the machine that others had meanwhile
}

func beginMachine(dir string) (*machine, error) {
	m := &machine{begin: time.Now(), commit: commit()}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return nil, err
	}
	m.kernel = unix.ByteSliceToString(name.Release[:])
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return nil, err
	}
	m.memory = int64(info.Totalram) * int64(info.Unit)
	var err error
	if m.sync, m.sync99, err = syncTime(dir); err != nil {
		return nil, err
	}
	m.ours = ourCPU()
	m.busy, err = busyCPU()
	return m, err
}

// end finds out how much others did.
func (m *machine) end() error {
	busy, err := busyCPU()
	if err != nil {
		return err
	}
	others := busy - m.busy - (ourCPU() - m.ours)
	m.others = others.Seconds() / time.Since(m.begin).Seconds() / float64(runtime.NumCPU())
	return nil
}

// String is a sentence or three.
func (m *machine) String() string {
	return fmt.Sprintf("%s, commit %s: %d cores, %.0f GiB, Linux %s, %s, on a disk that takes %.2f ms (p99 %.1f) for a write and a sync of 4 KiB. "+
		"It took %.0f minutes, and other work had %.0f %% of the machine meanwhile.\n",
		m.begin.Format(time.DateOnly), m.commit, runtime.NumCPU(), float64(m.memory)/(1<<30), m.kernel, runtime.Version(), m.sync.Seconds()*1e3, m.sync99.Seconds()*1e3,
		time.Since(m.begin).Minutes(), max(0, m.others*100))
}

// commit is that of the folder, with words if files were changed since, or are not
// in it: go build takes these too.
func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	name := strings.TrimSpace(string(out))
	changed, err := exec.Command("git", "status", "--porcelain", "--", ":!bench/RESULTS.md").Output()
	if err != nil || len(changed) > 0 {
		name += " and changes"
	}
	return name
}

// busyCPU is what all processors have done since the machine started, for
// whomever; time that its host took away counts too.
func busyCPU() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	var user, nice, system, idle, iowait, irq, softirq, steal int64
	if _, err := fmt.Sscanf(string(text), "cpu %d %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal); err != nil {
		return 0, fmt.Errorf("/proc/stat: %w", err)
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100
	return time.Duration(user+nice+system+irq+softirq+steal) * tick, nil
}

// ourCPU is what this process has done, and those that it started and that ended.
func ourCPU() (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return sum
}
