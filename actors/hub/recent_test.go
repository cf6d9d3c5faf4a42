package hub

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/frame"
)

var someTopics = []nave.Topic{"a", "b", "c"}

// drawGroup is a group of whole batches after an offset.
func drawGroup(t *rapid.T, head uint64) *group {
	var events []nave.Event
	for range rapid.IntRange(1, 4).Draw(t, "batches") {
		n := rapid.IntRange(1, 3).Draw(t, "size")
		transient := rapid.IntRange(0, 4).Draw(t, "transient") == 0
		for i := range n {
			e := nave.Event{Topic: rapid.SampledFrom(someTopics).Draw(t, "topic"), Type: "t", Batch: nave.Position{I: i, N: n}}
			if !transient {
				head++
				e.Offset = head
			}
			events = append(events, e)
		}
	}
	g := &group{frames: frame.All("epoch", events), head: head}
	for _, f := range g.frames {
		g.bytes += f.Memory()
	}
	return g
}

// Reading page by page what is recent of some topics yields what is there of them,
// no batch in pieces; and that some of it has left is said exactly when it has.
func TestRecentEventsOfTopics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRecent(rapid.IntRange(1, 20_000).Draw(t, "limit"))
		var all []*frame.Frame
		head := uint64(0)
		for range rapid.IntRange(1, 30).Draw(t, "groups") {
			g := drawGroup(t, head)
			r.add(g)
			all, head = append(all, g.frames...), g.head
		}
		topics := rapid.SliceOfNDistinct(rapid.SampledFrom(someTopics), 1, 3, rapid.ID[nave.Topic]).Draw(t, "topics")
		after := rapid.Uint64Range(0, head).Draw(t, "after")
		limit := eventlog.Limit{Events: rapid.IntRange(1, 10).Draw(t, "events"), Bytes: 1 << 20}

		var got []*frame.Frame
		for at, more := after, true; more; {
			page, next, ok := r.ofTopics(at, topics, limit)
			if ok != (at >= r.floor) {
				t.Fatalf("reading after %d says %v; what is there begins after %d", at, ok, r.floor)
			}
			if !ok {
				return
			}
			if len(got) > 0 && len(page) > 0 && frame.SameBatch(got[len(got)-1], page[0]) {
				t.Fatal("a batch is on two pages")
			}
			got, more, at = append(got, page...), next > at, next
		}
		want := slices.DeleteFunc(all, func(f *frame.Frame) bool {
			return f.Event.Offset <= after || !slices.Contains(topics, f.Event.Topic)
		})
		if !slices.Equal(got, want) {
			t.Fatalf("read %d events, want %d", len(got), len(want))
		}
	})
}
