//go:build linux

package slow

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// connections are the established connections of the hub, as the kernel has them:
// how many bytes wait in each to be sent or acknowledged, by the peer's address.
func connections(t testing.TB, hub *harness.Process) map[string]int {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	const established = "01"
	here := make(map[string]int)
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line) // slot, local, peer, state, unsent:unread, …
		if len(f) < 5 || f[3] != established || address(f[1]) != hub.Addr {
			continue
		}
		unsent, _, _ := strings.Cut(f[4], ":")
		n, err := strconv.ParseInt(unsent, 16, 64)
		if err != nil {
			t.Fatalf("/proc/net/tcp: %q", line)
		}
		here[address(f[2])] = int(n)
	}
	return here
}

// untilConnected asks for the hub's connections until they are as they should be.
// It does so four times a second, as the kernel's table is dear to read.
func untilConnected(t testing.TB, hub *harness.Process, d time.Duration, ask func(map[string]int) (string, bool)) {
	t.Helper()
	tick := time.NewTicker(time.Second / 4)
	defer tick.Stop()
	for deadline := time.Now().Add(d); ; <-tick.C {
		answer, ok := ask(connections(t, hub))
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still %v after %v", answer, d)
		}
	}
}

// address reads the kernel's way to write one: 0100007F:1F90.
func address(text string) string {
	ip, port, _ := strings.Cut(text, ":")
	b, err := hex.DecodeString(ip)
	n, portErr := strconv.ParseUint(port, 16, 16)
	if err != nil || portErr != nil || len(b) != 4 {
		return ""
	}
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], binary.NativeEndian.Uint32(b))
	return netip.AddrPortFrom(netip.AddrFrom4(a), uint16(n)).String()
}

// sockets counts the hub's descriptors that are sockets. Its others are files of
// the log, whose number changes by itself.
func sockets(t testing.TB, hub *harness.Process) (n int) {
	t.Helper()
	all, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", hub.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range all {
		if target, err := os.Readlink(fd); err == nil && strings.HasPrefix(target, "socket:") {
			n++
		}
	}
	return n
}

// metric is the sum of a metric over its attributes, from the hub's page.
func metric(t testing.TB, hub *harness.Process, name string) (sum float64) {
	t.Helper()
	_, text := trial.Get(t, hub, "/metrics")
	for line := range strings.Lines(text) {
		rest, found := strings.CutPrefix(line, name)
		if !found || rest == "" || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(rest[strings.LastIndexByte(rest, ' '):]), 64)
		if err != nil {
			t.Fatalf("metric %q: %v", line, err)
		}
		sum += value
	}
	return sum
}
