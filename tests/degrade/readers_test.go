package degrade

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// stall opens a stream that nobody reads.
func stall(t *testing.T, hub *harness.Process, filter string) {
	t.Helper()
	c, err := net.Dial("tcp", hub.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(c, "GET /v1/events?topic=%s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", filter, hub.Addr); err != nil {
		t.Fatal(err)
	}
}

// large is an event of so many bytes.
func large(bytes int) func(int) json.RawMessage {
	text := strings.Repeat("x", bytes)
	return func(i int) json.RawMessage { return json.RawMessage(fmt.Sprintf(`{"i":%d,"text":%q}`, i, text)) }
}

// Half of the clients stop reading. The hub gives up what they cost, cuts them off when
// their time is over, and comes back; the others feel nothing of it.
func TestHalfOfTheClientsStopReading(t *testing.T) {
	half := trial.Pick(40, 400)
	stalled := half + half/10 // so that it is half of them even if one has not come yet
	table := trial.NewTable(t, "stalled-readers", "half of the clients stop reading")
	patience := trial.Pick("15s", "30s")
	hub := trial.CheckedHub(t, hold(), "NAVE_CLIENT_MAX_LAG="+patience, "NAVE_CLIENT_WRITE_TIMEOUT="+patience, "NAVE_CLIENT_MAILBOX=64KiB")
	all := gather(t, hub, half)
	levels := watchLevel(t, hub)
	load := publish(t, hub, time.Millisecond, large(8<<10))
	time.Sleep(time.Second)

	for range stalled {
		stall(t, hub, "a/**")
	}
	levels.await(time.Minute, nave.LevelConserve)
	levels.await(3*time.Minute, nave.LevelNormal)
	want := load.end()

	table.Row("clients that read, and that do not", "", "%d, %d", half, stalled)
	table.Row("events acknowledged", "", "%d", len(want))
	levels.tell(table)
	all.heard(table)
	all.judge(table, want)
}
