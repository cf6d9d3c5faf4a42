package process

import (
	"bufio"
	"bytes"
	"os"
	"path"
	"strconv"
	"strings"
)

// groupLimit is what the control groups that the process is in let it have of memory:
// the least of theirs.
func groupLimit() int64 {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0
	}
	return leastLimit(groups, os.ReadFile)
}

// unlimited is about what version 1 says of a group without limit.
const unlimited = 1 << 60

func leastLimit(groups []byte, read func(string) ([]byte, error)) (least int64) {
	lines := bufio.NewScanner(bytes.NewReader(groups))
	for lines.Scan() {
		parts := strings.SplitN(lines.Text(), ":", 3) // number:controllers:path
		if len(parts) < 3 {
			continue
		}
		root, name := "/sys/fs/cgroup", "memory.max"
		if parts[1] != "" {
			if !strings.Contains(","+parts[1]+",", ",memory,") {
				continue
			}
			root, name = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
		}
		// In a container its own group may be mounted as the root, and be named by
		// the path that it has outside: so what is not there is left out.
		for at := path.Clean("/" + parts[2]); ; at = path.Dir(at) {
			text, err := read(path.Join(root, at, name))
			if n, bad := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && bad == nil &&
				n > 0 && n < unlimited && (least == 0 || n < least) {
				least = n
			}
			if at == "/" {
				break
			}
		}
	}
	return least
}

// Files is how many files and sockets the process has open.
func Files() int {
	const all = "/proc/self/fd"
	if about, err := os.Stat(all); err == nil && about.Size() > 0 {
		return int(about.Size()) // since Linux 6.2
	}
	dir, err := os.Open(all)
	if err != nil {
		return 0
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return 0
	}
	return len(names) - 1 // but for this one
}
