package memlog_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
)

// An event with a key and an id is stored with what remembers these, in a group of
// 100; a page of 100 shares what it is made of.
func TestAllocations(t *testing.T) {
	l := memlog.Open(eventlog.Options{})
	defer l.Close()
	const size, runs = 100, 20
	groups := make([][]eventlog.Batch, runs+1) // AllocsPerRun warms up with one
	for i := range groups {
		groups[i] = group(i, size)
	}
	next := 0
	stored := testing.AllocsPerRun(runs, func() {
		if _, err := l.Append(t.Context(), groups[next]); err != nil {
			t.Fatal(err)
		}
		next++
	})
	if most := 2.5; stored/size > most {
		t.Errorf("an event is stored with %v allocations, want at most %v", stored/size, most)
	}
	read := testing.AllocsPerRun(runs, func() {
		if p, err := l.Read(t.Context(), 0, nave.Filters{"cards/*"}, eventlog.Limit{Events: size}); err != nil || len(p.Events) != size {
			t.Fatal(len(p.Events), err)
		}
	})
	if most := 12.0; read > most {
		t.Errorf("%d events are read with %v allocations, want at most %v", size, read, most)
	}
}

func group(number, size int) (group []eventlog.Batch) {
	for i := range size {
		e := nave.Event{
			Topic: "cards/board-1", Type: "card.moved", Key: fmt.Sprintf("card-%d", i),
			ID: fmt.Sprintf("%d-%d", number, i), Source: "test", Data: json.RawMessage(`{"column":"done"}`),
		}
		group = append(group, eventlog.Batch{Durability: nave.Memory, Time: time.Now(), Events: []nave.Event{e}})
	}
	return group
}
