package pebblelog

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/internal/admit"
)

// A witness appends random batches to a log and remembers what it was promised.
type witness struct {
	t       *testing.T
	random  *rand.Rand
	now     time.Time
	next    int                    // number of the next batch
	stored  map[int]eventlog.Batch // acknowledged durable batches, by number
	first   map[int]uint64         // where they went
	pending map[int]bool           // in a group that was not acknowledged
	highest uint64                 // offset handed out
	memory  uint64                 // offset of the newest memory event
}

func newWitness(t *testing.T, seed uint64) *witness {
	return &witness{
		t: t, random: rand.New(rand.NewPCG(seed, 0)), now: time.Unix(1_800_000_000, 0).UTC(),
		stored: map[int]eventlog.Batch{}, first: map[int]uint64{}, pending: map[int]bool{},
	}
}

// batch is the next batch: each event says its number, so that it is known again.
func (w *witness) batch() eventlog.Batch {
	b := eventlog.Batch{Durability: nave.Durable, Time: w.now}
	topics := []nave.Topic{"cards/1", "cards/2", "users/1"}
	if w.random.IntN(3) == 0 {
		b.Durability, topics = nave.Memory, []nave.Topic{"presence/1"}
	}
	for i := range 1 + w.random.IntN(4) {
		b.Events = append(b.Events, nave.Event{
			Topic: topics[w.random.IntN(len(topics))], Type: "t", Key: fmt.Sprint("k", w.random.IntN(5)),
			ID: fmt.Sprint(w.next, ".", i), Source: "witness",
			Data: fmt.Appendf(nil, `{"n":%d,"pad":"%0*d"}`, w.next, w.random.IntN(500), 0),
		})
	}
	w.next++
	return b
}

// append appends a group. It reports false when the log is broken.
func (w *witness) append(l *Log) bool {
	first := w.next
	group := make([]eventlog.Batch, 1+w.random.IntN(4))
	for i := range group {
		group[i] = w.batch()
	}
	outcomes, err := l.Append(ctx, group)
	if err != nil {
		if !errors.Is(err, eventlog.ErrBroken) {
			w.t.Fatalf("append: %v, want an error that says broken", err)
		}
		for i := range group {
			w.pending[first+i] = true
		}
		return false
	}
	for i, outcome := range outcomes {
		if outcome.Err != nil || outcome.Repeat {
			w.t.Fatalf("outcome = %+v, want the batch stored", outcome)
		}
		last := outcome.First + uint64(len(group[i].Events)) - 1
		if outcome.First <= w.highest {
			w.t.Fatalf("offset %d was handed out twice", outcome.First)
		}
		w.highest = last
		if group[i].Durability == nave.Memory {
			w.memory = last
			continue
		}
		w.stored[first+i], w.first[first+i] = group[i], outcome.First
	}
	return true
}

// check compares a log opened after a crash with what the witness was promised.
func (w *witness) check(l *Log) {
	w.t.Helper()
	if l.Head() < w.highest {
		w.t.Fatalf("head = %d, but %d was handed out", l.Head(), w.highest)
	}
	if got := l.Oldest(nave.Filters{"presence/1"}); got < w.memory {
		w.t.Errorf("oldest of presence/1 = %d, but memory event %d is lost", got, w.memory)
	}
	durable := nave.Filters{"cards/*", "users/*"}
	if got := l.Oldest(durable); got != 0 {
		w.t.Errorf("oldest of durable topics = %d, want 0", got)
	}
	found := w.checkBatches(l, durable)
	for n, b := range w.stored {
		if found[n] == 0 {
			w.t.Fatalf("batch %d at %d was acknowledged and is lost", n, w.first[n])
		}
		if found[n] != w.first[n] {
			w.t.Fatalf("batch %d moved from %d to %d", n, w.first[n], found[n])
		}
		outcome := mustAppend(w.t, l, b)[0]
		if !outcome.Repeat || outcome.First != w.first[n] {
			w.t.Fatalf("batch %d again = %+v, want a repeat of %d", n, outcome, w.first[n])
		}
	}
}

// checkBatches reads all and returns where each batch is. It fails at a batch
// that is not whole, or that nobody appended, and at state that is not the
// newest event's.
func (w *witness) checkBatches(l *Log, fs nave.Filters) map[int]uint64 {
	w.t.Helper()
	found := make(map[int]uint64)
	state := make(map[string]uint64)
	after, in := uint64(0), nave.Position{}
	for more := true; more; {
		p, err := l.Read(ctx, after, fs, eventlog.Limit{Events: 50})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, e := range p.Events {
			var n, i int
			if _, err := fmt.Sscanf(e.ID, "%d.%d", &n, &i); err != nil || i != e.Batch.I {
				w.t.Fatalf("event %d says it is %s, at %+v of its batch", e.Offset, e.ID, e.Batch)
			}
			if e.Batch.I != in.I%max(in.N, 1) {
				w.t.Fatalf("event %d is %+v of its batch after %+v", e.Offset, e.Batch, in)
			}
			if b, acknowledged := w.stored[n]; acknowledged && len(b.Events) != e.Batch.N || !acknowledged && !w.pending[n] {
				w.t.Fatalf("event %d is of a batch that was never appended: %+v", e.Offset, e)
			}
			in = nave.Position{I: e.Batch.I + 1, N: e.Batch.N}
			found[n] = e.Offset - uint64(e.Batch.I)
			state[string(e.Topic)+e.Key] = e.Offset
		}
		after, more = p.Next, p.More
	}
	if in.I != in.N {
		w.t.Fatalf("the log ends %d events into a batch of %d", in.I, in.N)
	}
	w.checkState(l, fs, state)
	return found
}

func (w *witness) checkState(l *Log, fs nave.Filters, want map[string]uint64) {
	w.t.Helper()
	s, err := l.State(ctx, fs)
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	got := make(map[string]uint64)
	for e, err := range s.Events() {
		if err != nil {
			w.t.Fatal(err)
		}
		got[string(e.Topic)+e.Key] = e.Offset
	}
	if !maps.Equal(got, want) {
		w.t.Fatalf("state = %v, want %v", got, want)
	}
}

// checkTrimmed compares a log opened after a crash, of which retention took some,
// with what the witness was promised: every event after the oldest of its topic
// is there, and so is the state of every key.
func (w *witness) checkTrimmed(l *Log) {
	w.t.Helper()
	versions := make(map[admit.Key]uint64)
	for n, b := range w.stored {
		for i := range b.Events {
			e, offset := &b.Events[i], w.first[n]+uint64(i)
			versions[admit.KeyOf(e)] = max(versions[admit.KeyOf(e)], offset)
			if offset <= l.Oldest(nave.Filters{nave.Filter(e.Topic)}) {
				continue
			}
			got, err := getEvent(l.db, offset)
			if err != nil || got.ID != e.ID {
				w.t.Fatalf("event %s at %d, after the oldest of %s, is %+v, %v", e.ID, offset, e.Topic, got, err)
			}
		}
	}
	past := past{log: l}
	defer past.close()
	for k, version := range versions {
		got, err := past.Version(k)
		if err != nil || got < version {
			w.t.Fatalf("version of %v = %d, %v, want %d or a later one", k, got, err, version)
		}
		if latest, err := past.Latest(k); err != nil || latest.Offset != got {
			w.t.Fatalf("latest event of %v = %+v, %v, want it at %d", k, latest, err, got)
		}
	}
	checkCounts(w.t, l)
}

// checkCounts compares what the log says it holds with what it holds.
func checkCounts(t *testing.T, l *Log) {
	t.Helper()
	var bytes int64
	var events, indexed int
	for kind, count := range map[byte]func(*pebble.Iterator){
		topicKeys: func(*pebble.Iterator) { indexed++ },
		eventKeys: func(it *pebble.Iterator) {
			e, _, err := readEvent(it)
			if err != nil {
				t.Fatal(err)
			}
			events++
			bytes += int64(e.Size())
		},
	} {
		it, err := l.iterate([]byte{kind})
		if err != nil {
			t.Fatal(err)
		}
		for it.First(); it.Valid(); it.Next() {
			count(it)
		}
		if err := it.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := l.Stats().DurableBytes; got != bytes || indexed != events {
		t.Fatalf("the log says that it holds %d bytes and indexes %d events; it holds %d in %d events", got, indexed, bytes, events)
	}
}
