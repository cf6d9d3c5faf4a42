package pebblelog

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

var ctx = context.Background()

// place is a directory that has to be made, with its parents.
const place = "var/lib/log"

func mustOpen(t testing.TB, o Options) *Log {
	t.Helper()
	if o.FS == nil {
		o.FS = vfs.NewMem()
	}
	if o.Logger == nil {
		o.Logger = quiet
	}
	l, err := Open(ctx, place, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func mustAppend(t testing.TB, l *Log, group ...eventlog.Batch) []eventlog.Outcome {
	t.Helper()
	outcomes, err := l.Append(ctx, group)
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}

// one is a batch of one event.
func one(d nave.Durability, topic nave.Topic) eventlog.Batch {
	return eventlog.Batch{Durability: d, Time: time.Unix(1_800_000_000, 0), Events: []nave.Event{{Topic: topic, Type: "t"}}}
}

// TestReadDoesNotTouchForeignEvents reads 10 events among tens of thousands and
// counts what was read for them.
func TestReadDoesNotTouchForeignEvents(t *testing.T) {
	const foreign, own = 30_000, 10
	l := mustOpen(t, Options{})
	defer l.Close()
	for i := range own {
		var group []eventlog.Batch
		for j := range foreign / own {
			group = append(group, one(nave.Durable, nave.Topic(fmt.Sprintf("foreign/%d", j%100))))
		}
		mustAppend(t, l, append(group, one(nave.Durable, nave.Topic(fmt.Sprintf("own/%d", i%2))))...)
	}
	for _, test := range []struct {
		filters nave.Filters
		events  int
		most    uint64 // values read
	}{
		{nave.Filters{"own/0", "own/1"}, own, own},
		{nave.Filters{"own/*"}, own, own},
		{nave.Filters{"*/1"}, own/2 + foreign/100, own/2 + foreign/100 + 10},
		{nave.Filters{"own/**", "nothing/at/all"}, own, own},
		{nave.Filters{"**"}, own + foreign, own + foreign + 1000}, // a look at what is next, a page
	} {
		before := l.valuesRead.Load()
		events := 0
		for after, more := uint64(0), true; more; {
			p, err := l.Read(ctx, after, test.filters, eventlog.Limit{})
			if err != nil {
				t.Fatal(err)
			}
			events += len(p.Events)
			after, more = p.Next, p.More
		}
		read := l.valuesRead.Load() - before
		if events != test.events || read > test.most {
			t.Errorf("%q: %d events for %d values read, want %d for at most %d", test.filters, events, read, test.events, test.most)
		}
	}
}

// TestMemoryEventsSeldomSync counts commits of a log that has memory events only.
func TestMemoryEventsSeldomSync(t *testing.T) {
	l := mustOpen(t, Options{})
	defer l.Close()
	mustAppend(t, l, one(nave.Memory, "a/b"))
	before := l.db.Metrics().WAL.BytesIn
	for range 1000 {
		mustAppend(t, l, one(nave.Memory, "a/c"))
	}
	if got := l.db.Metrics().WAL.BytesIn; got != before {
		t.Errorf("memory events wrote %d bytes, want none", got-before)
	}
	mustAppend(t, l, one(nave.Memory, "new/segment"))
	if got := l.db.Metrics().WAL.BytesIn; got == before {
		t.Errorf("the first memory event of a segment wrote nothing, want its mark")
	}
}

// TestReservationIsCrossed appends past what is reserved ahead, without a clean
// close, and opens a copy.
func TestReservationIsCrossed(t *testing.T) {
	fs := vfs.NewCrashableMem()
	l := mustOpen(t, Options{FS: fs})
	defer l.Close()
	batch := one(nave.Memory, "a")
	for len(batch.Events) < 1000 {
		batch.Events = append(batch.Events, batch.Events[0])
	}
	for range reserveBlock/1000 + 2 {
		mustAppend(t, l, batch)
		if l.Head() > l.reserved {
			t.Fatalf("offset %d was handed out, but only %d are reserved", l.Head(), l.reserved)
		}
	}
	copied := mustOpen(t, Options{FS: fs.CrashClone(vfs.CrashCloneCfg{})})
	defer copied.Close()
	if copied.Head() < l.Head() {
		t.Errorf("head after a crash = %d, but %d was handed out", copied.Head(), l.Head())
	}
}
