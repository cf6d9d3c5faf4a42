package tests

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/navehub/nave"
	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// Every mailbox is bounded: clients that read nothing cost no memory, lose
// nothing, and are not felt by the others.
func TestBoundedMemory(t *testing.T) {
	const stuck, events, size = 20, 400, 100 << 10
	table := trial.NewTable(t, "memory", fmt.Sprintf("%d clients that read nothing", stuck))
	hub := trial.Hub(t, "NAVE_CLIENT_WRITE_TIMEOUT=2s")
	healthy := trial.Follow(t, hub, "board/*")
	before := trial.Usage(t, hub)
	var cursors []func() string
	for range stuck {
		cursors = append(cursors, connectAndReadNothing(t, hub))
	}
	payload := strings.Repeat("x", size)
	for range events {
		trial.Publish(t, hub, card("board/1", "", payload))
	}
	want := offsets(trial.Saw(t, healthy, events))
	after := trial.Usage(t, hub)
	table.Row("published past them", "", "%d MB", events*size>>20)
	table.Row("RSS before, after", "", "%d, %d MB", before.RSS>>20, after.RSS>>20)
	grown := after.PeakRSS - before.RSS
	table.Row("most that it had grown by", "64 MB or less", "%d MB", grown>>20)
	if grown > 64<<20 {
		t.Errorf("memory grew by %d MB", grown>>20)
	}
	trial.Eventually(t, func() (string, bool) { // until the hub has given up on all of them
		_, text := trial.Get(t, hub, "/metrics")
		return text, strings.Contains(text, "\nnave_connection_active 1\n")
	})
	// A stuck client was cut off; with the cursor that it had it gets the rest.
	last := cursors[0]()
	rest := trial.Resume(t, hub, last, "board/*")
	if got := offsets(trial.Saw(t, rest, len(want)-index(t, want, last))); got[len(got)-1] != want[len(want)-1] {
		t.Errorf("after resuming from %s it saw up to %d, want %d", last, got[len(got)-1], want[len(want)-1])
	}
}

// index is how many of the offsets a cursor has behind it.
func index(t *testing.T, offsets []uint64, cursor string) int {
	t.Helper()
	c, err := nave.ParseCursor(cursor)
	if err != nil {
		t.Fatal(err)
	}
	n, found := slices.BinarySearch(offsets, c.Offset)
	if found {
		n++
	}
	return n
}

// connectAndReadNothing opens a stream and leaves it alone. What it returns reads
// what the kernel has, to the end, and says which cursor came last.
func connectAndReadNothing(t *testing.T, hub *harness.Process) (lastCursor func() string) {
	t.Helper()
	conn, err := net.Dial("tcp", hub.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "GET /v1/events?topic=board/* HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", hub.Addr)
	return func() string {
		text, err := io.ReadAll(conn)
		if err != nil && len(text) == 0 {
			t.Fatalf("the stuck stream: %v", err)
		}
		at := strings.LastIndex(string(text), "\nid: ")
		if at < 0 {
			t.Fatalf("no cursor in %d bytes", len(text))
		}
		cursor, _, _ := strings.Cut(string(text)[at+len("\nid: "):], "\n")
		return cursor
	}
}

// Connections that do nothing cannot take the files that the log needs.
func TestIdleConnectionsLeaveTheLogItsFiles(t *testing.T) {
	hub, err := harness.New(trial.Program(t), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	hub.Files = 500
	if err := hub.Start(trial.Soon(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hub.Kill() })
	for range 600 {
		conn, err := net.Dial("tcp", hub.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	used := trial.Eventually(t, func() (int, bool) {
		u, err := hub.Usage()
		return u.Descriptors, err == nil && u.Descriptors > 100
	})
	if used > 300 {
		t.Errorf("%d of 500 descriptors are taken", used)
	}
	if !strings.Contains(hub.Output(), "ulimit") {
		t.Errorf("the hub does not say that its limit is low:\n%s", hub.Output())
	}
}
