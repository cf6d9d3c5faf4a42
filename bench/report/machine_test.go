//go:build linux

package report

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A file that had only its length would get its blocks with each sync.
func TestTheDiskHasTheZerosBefore(t *testing.T) {
	f, err := zeroed(filepath.Join(t.TempDir(), "zeros"), 10*pageBytes)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	const block = 512 // of which stat counts
	if has := info.Sys().(*syscall.Stat_t).Blocks * block; info.Size() != 10*pageBytes || has < info.Size() {
		t.Errorf("it is of %d bytes and has %d", info.Size(), has)
	}
	if p50, p99, err := syncTime(t.TempDir()); err != nil || p50 <= 0 || p99 < p50 {
		t.Errorf("a sync takes %v, p99 %v, %v", p50, p99, err)
	}
}

func TestACommitIsNamedWithoutWordsOnlyIfItIsThatCommit(t *testing.T) {
	t.Chdir(t.TempDir())
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@localhost"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	write := func(name string) {
		t.Helper()
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "-q")
	write(".gitignore")
	git("add", ".")
	git("commit", "-qm", "it")
	clean := git("rev-parse", "--short", "HEAD")
	if err := os.Mkdir("bench", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, want string }{
		{"bench/RESULTS.md", clean}, // which is being written
		{"more.go", clean + " and changes"},
	} {
		write(c.file)
		if got := commit(); got != c.want {
			t.Errorf("with a new %s it is %q, want %q", c.file, got, c.want)
		}
	}
}
