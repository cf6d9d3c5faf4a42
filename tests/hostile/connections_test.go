package hostile

import (
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/navehub/nave/tests/harness"
)

// connections are the ports of the peers that the hub has a connection with, and
// has not closed, as the kernel knows. It need not be read from for that, nor
// written to.
func connections(hub *harness.Process) (map[string]bool, error) {
	text, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return nil, err
	}
	_, own, err := net.SplitHostPort(hub.Addr)
	if err != nil {
		return nil, err
	}
	const local, remote, state = 1, 2, 3
	const established, closeWait = "01", "08"
	held := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if port(fields[local]) == own && (fields[state] == established || fields[state] == closeWait) {
			held[port(fields[remote])] = true
		}
	}
	return held, nil
}

// port is that of an address such as 0100007F:1F90.
func port(address string) string {
	_, hex, _ := strings.Cut(address, ":")
	n, err := strconv.ParseUint(hex, 16, 16)
	if err != nil {
		return ""
	}
	return strconv.FormatUint(n, 10)
}
