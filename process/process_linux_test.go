package process

import (
	"os"
	"testing"
)

func TestTheLeastLimitOfTheGroupsCounts(t *testing.T) {
	for name, c := range map[string]struct {
		groups string
		files  map[string]string
		want   int64
	}{
		"none":                            {"0::/\n", nil, 0},
		"a container":                     {"0::/\n", map[string]string{"/sys/fs/cgroup/memory.max": "536870912\n"}, 512 << 20},
		"a container without limit":       {"0::/\n", map[string]string{"/sys/fs/cgroup/memory.max": "max\n"}, 0},
		"one that is seen from outside":   {"0::/kube/pod/one\n", map[string]string{"/sys/fs/cgroup/memory.max": "1000\n"}, 1000},
		"a service in a slice with less":  {"0::/slice/one\n", map[string]string{"/sys/fs/cgroup/slice/one/memory.max": "2000\n", "/sys/fs/cgroup/slice/memory.max": "1000\n"}, 1000},
		"a service in a slice with more":  {"0::/slice/one\n", map[string]string{"/sys/fs/cgroup/slice/one/memory.max": "1000\n", "/sys/fs/cgroup/slice/memory.max": "2000\n"}, 1000},
		"version 1":                       {"5:cpu,cpuacct:/x\n4:memory:/docker/one\n0::/\n", map[string]string{"/sys/fs/cgroup/memory/docker/one/memory.limit_in_bytes": "1000\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 1000},
		"version 1, of other controllers": {"5:cpu:/x\n", map[string]string{"/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "1000\n"}, 0},
		"what makes no sense":             {"x\n\n::\n", map[string]string{"/sys/fs/cgroup/memory.max": "many\n"}, 0},
	} {
		got := leastLimit([]byte(c.groups), func(file string) ([]byte, error) {
			if text, ok := c.files[file]; ok {
				return []byte(text), nil
			}
			return nil, os.ErrNotExist
		})
		if got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestFilesAreCounted(t *testing.T) {
	before := Files()
	for range 10 {
		f, err := os.Open("/dev/null")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	if after := Files(); before == 0 || after != before+10 {
		t.Errorf("%d files are open, want 10 more than %d", after, before)
	}
	if limit := FileLimit(); limit < before {
		t.Errorf("at most %d files, but %d are open", limit, before)
	}
}
