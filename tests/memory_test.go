package tests

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/navehub/nave"
	"github.com/navehub/nave/tests/harness"
)

// Every mailbox is bounded: clients that read nothing cost no memory, lose
// nothing, and are not felt by the others.
func TestBoundedMemory(t *testing.T) {
	hub := startHub(t, "NAVE_CLIENT_WRITE_TIMEOUT=2s")
	healthy := follow(t, hub, "board/*")
	before, err := hub.Usage()
	if err != nil {
		t.Fatal(err)
	}
	const stuck, events, size = 20, 400, 100 << 10
	var cursors []func() string
	for range stuck {
		cursors = append(cursors, connectAndReadNothing(t, hub))
	}
	payload := strings.Repeat("x", size)
	for range events {
		publish(t, hub, card("board/1", "", payload))
	}
	want := offsets(saw(t, healthy, events))
	after, err := hub.Usage()
	if err != nil {
		t.Fatal(err)
	}
	figure(t, "bounded memory: %d MB published past %d clients that read nothing; RSS %d MB before, %d MB after (peak %d MB)",
		events*size>>20, stuck, before.RSS>>20, after.RSS>>20, after.PeakRSS>>20)
	if grown := after.PeakRSS - before.RSS; grown > 64<<20 {
		t.Errorf("memory grew by %d MB", grown>>20)
	}
	eventually(t, func() (string, bool) { // until the hub has given up on all of them
		text := metrics(t, hub)
		return text, strings.Contains(text, "\nnave_connection_active 1\n")
	})
	// A stuck client was cut off; with the cursor that it had it gets the rest.
	last := cursors[0]()
	rest := resume(t, hub, last, "board/*")
	if got := offsets(saw(t, rest, len(want)-index(t, want, last))); got[len(got)-1] != want[len(want)-1] {
		t.Errorf("after resuming from %s it saw up to %d, want %d", last, got[len(got)-1], want[len(want)-1])
	}
}

func metrics(t *testing.T, hub *harness.Process) string {
	t.Helper()
	req, err := http.NewRequestWithContext(soon(t), http.MethodGet, hub.URL("/metrics"), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
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
	hub, err := harness.New(hubBinary, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	hub.Files = 500
	if err := hub.Start(soon(t)); err != nil {
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
	used := eventually(t, func() (int, bool) {
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
