package pebblelog

import (
	"encoding/json"
	"errors"
	"iter"
	"strconv"
	"testing"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// A snapshot whose reader is slow does not keep the log from being closed, and
// reopened: the reader hears of it when it goes on.
func TestSlowReaderOfASnapshotDoesNotHoldTheLog(t *testing.T) {
	l, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	const keys = 3 * chunkEvents
	var batch eventlog.Batch
	batch.Durability = nave.Durable
	for i := range keys {
		batch.Events = append(batch.Events, nave.Event{Topic: "cards/1", Type: "x", Key: strconv.Itoa(i), Data: json.RawMessage("1")})
	}
	if _, err := l.Append(t.Context(), []eventlog.Batch{batch}); err != nil {
		t.Fatal(err)
	}
	whole, err := l.State(t.Context(), nave.Filters{"**"})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range whole.Events() {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if err := whole.Close(); n != keys || err != nil {
		t.Errorf("%d keys read in chunks, want %d; %v", n, keys, err)
	}

	slow, err := l.State(t.Context(), nave.Filters{"**"})
	if err != nil {
		t.Fatal(err)
	}
	next, stop := iter.Pull2(slow.Events())
	defer stop()
	if _, err, ok := next(); err != nil || !ok {
		t.Fatalf("first key: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	for range keys {
		if _, err, ok := next(); err != nil || !ok {
			if !errors.Is(err, eventlog.ErrClosed) {
				t.Errorf("the snapshot ends with %v, want ErrClosed", err)
			}
			return
		}
	}
	t.Error("the snapshot was read to its end after Close")
}
