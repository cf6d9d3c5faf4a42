package logtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// testHistories does random things to a log and to the model, and compares.
func testHistories(t *testing.T, f Factory) {
	rapid.Check(t, func(rt *rapid.T) {
		o := drawOptions(rt)
		h := &history{T: rt, open: f.New(o), model: newModel(o), now: noon}
		h.reopen()
		defer func() { h.must(h.log.Close()) }()
		actions := map[string]func(*rapid.T){
			"append": h.appendGroup, "append again": h.appendGroup, "append more": h.appendGroup,
			"read": h.readPage, "state": h.compareState, "oldest": h.compareOldest,
			"trim": h.trim, "wait": h.wait,
			"": h.compareStats,
		}
		if f.Durable {
			actions["reopen"] = func(*rapid.T) { h.reopen() }
		}
		rt.Repeat(actions)
	})
}

// A history is a log and a model that the same was done to.
type history struct {
	*rapid.T
	open  eventlog.Opener
	log   eventlog.Log
	model *model
	now   time.Time
	said  []eventlog.Batch // batches appended before, to repeat
}

func (h *history) must(err error) {
	if err != nil {
		h.Fatal(err)
	}
}

func (h *history) reopen() {
	if h.log != nil {
		h.must(h.log.Close())
	}
	log, err := h.open(context.Background())
	h.must(err)
	h.log = log
	if head := log.Head(); head < h.model.head {
		h.Fatalf("head after opening = %d, but %d was handed out", head, h.model.head)
	}
	h.model.restart(log.Head())
}

func (h *history) wait(t *rapid.T) {
	h.now = h.now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "minutes")) * time.Minute)
}

func (h *history) trim(*rapid.T) {
	h.must(h.log.Trim(context.Background(), h.now))
	h.model.trim(h.now)
}

func (h *history) appendGroup(t *rapid.T) {
	group := rapid.SliceOfN(rapid.Custom(h.drawBatch), 1, 4).Draw(t, "group")
	outcomes, err := h.log.Append(context.Background(), group)
	h.must(err)
	for i, b := range group {
		got := outcomes[i]
		if got.Err == nil && !got.Repeat && got.First <= h.model.head {
			t.Fatalf("batch %d went to %d, but the head was %d", i, got.First, h.model.head)
		}
		want := h.model.append(b, got.First)
		if got.First != want.First || got.Repeat != want.Repeat || !sameRefusal(got.Err, want.Err) {
			t.Fatalf("outcome of batch %d = %+v, want %+v", i, got, want)
		}
	}
	h.said = append(h.said, group...)
}

func sameRefusal(got, want error) bool {
	var g, w *nave.ConflictError
	if errors.As(got, &g) && errors.As(want, &w) {
		return cmp.Equal(g.Conflicts, w.Conflicts, cmpopts.EquateEmpty())
	}
	return nave.CodeOf(got) == nave.CodeOf(want)
}

func (h *history) readPage(t *rapid.T) {
	fs := drawFilters(t)
	after := rapid.Uint64Range(0, h.model.head).Draw(t, "after")
	limit := eventlog.Limit{Events: rapid.IntRange(0, 6).Draw(t, "events"), Bytes: rapid.IntRange(0, 600).Draw(t, "bytes")}
	oldest := h.log.Oldest(fs)
	p, err := h.log.Read(context.Background(), after, fs, limit)
	if after < oldest {
		var reset *nave.ResetError
		if !errors.As(err, &reset) || reset.Reason != nave.ResetRetention {
			t.Fatalf("read after %d, oldest %d: error %v, want a reset", after, oldest, err)
		}
		return
	}
	h.must(err)
	want := h.model.read(after, fs)
	if len(p.Events) > len(want) {
		t.Fatalf("page has %d events, of which there are %d", len(p.Events), len(want))
	}
	n := len(p.Events)
	if diff := diffEvents(want[:n], p.Events); diff != "" {
		t.Fatalf("page (-want +got):\n%s", diff)
	}
	h.checkEnd(t, p, want[n:], after)
	checkLimit(t, p.Events, limit)
}

// checkEnd checks where a page ends, given what it left for the next.
func (h *history) checkEnd(t *rapid.T, p eventlog.Page, rest []nave.Event, after uint64) {
	if p.More != (len(rest) > 0) {
		t.Fatalf("page has more = %t, but %d events are left", p.More, len(rest))
	}
	if !p.More {
		if p.Next != h.model.head {
			t.Fatalf("page without more has next = %d, want the head, %d", p.Next, h.model.head)
		}
		return
	}
	next := rest[0]
	if p.Next <= after || p.Next > next.Offset-uint64(next.Batch.I)-1 {
		t.Fatalf("page after %d has next = %d, but event %d, %d of its batch, is left", after, p.Next, next.Offset, next.Batch.I)
	}
	if n := len(p.Events); n > 0 && p.Next < p.Events[n-1].Offset {
		t.Fatalf("page has next = %d, before its last event, %d", p.Next, p.Events[n-1].Offset)
	}
}

// checkLimit checks that without its last batch the page is within the limit.
func checkLimit(t *rapid.T, events []nave.Event, limit eventlog.Limit) {
	n := len(events)
	for n > 0 && batchStart(events[n-1]) == batchStart(events[len(events)-1]) {
		n--
	}
	size := 0
	for i := range events[:n] {
		size += events[i].Size()
	}
	if limit.Events > 0 && n >= limit.Events || limit.Bytes > 0 && size >= limit.Bytes {
		if n > 0 {
			t.Fatalf("page has %d events, %d bytes, before its last batch; the limit is %+v", n, size, limit)
		}
	}
}

func batchStart(e nave.Event) uint64 { return e.Offset - uint64(e.Batch.I) }

func (h *history) compareState(t *rapid.T) {
	fs := drawFilters(t)
	s, err := h.log.State(context.Background(), fs)
	h.must(err)
	defer s.Close()
	if s.Offset() != h.model.head {
		t.Fatalf("state is as of %d, want the head, %d", s.Offset(), h.model.head)
	}
	got := make(map[entity]nave.Event)
	for e, err := range s.Events() {
		h.must(err)
		got[entity{e.Topic, e.Key}] = e
	}
	if diff := cmp.Diff(h.model.state(fs), got, cmp.AllowUnexported(entity{}), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("state of %q (-want +got):\n%s", fs, diff)
	}
}

func (h *history) compareOldest(t *rapid.T) {
	fs := drawFilters(t)
	least, most := h.model.oldest(fs)
	if got := h.log.Oldest(fs); got < least || got > most {
		t.Fatalf("oldest of %q = %d, want %d to %d", fs, got, least, most)
	}
}

func (h *history) compareStats(t *rapid.T) {
	got, durable, memory := h.log.Stats(), h.model.bytes(nave.Durable), h.model.bytes(nave.Memory)
	if got.Head != h.model.head || got.DurableBytes != durable || got.MemoryBytes < memory { // and the state that outlives its events
		t.Fatalf("stats = %+v, want head %d, %d durable bytes, %d or more in memory", got, h.model.head, durable, memory)
	}
}
