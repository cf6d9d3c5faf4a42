package history

import (
	"strings"
	"testing"
)

// Each history has what it says, and nothing else.
func TestFaultsAreFound(t *testing.T) {
	for _, c := range []struct {
		what  string
		write func(*Record)
		want  string
	}{
		{"an acknowledged event that a follower never sees", func(r *Record) {
			batch(r, "a/1").Acked([]uint64{1})
			batch(r, "a/2").Acked([]uint64{2})
			follow(r, "a").see("2@2")
		}, "lost for a subscriber: 1"},
		{"an event of unknown outcome that only one follower sees", func(r *Record) {
			batch(r, "a/1")
			follow(r, "a").see("1@1")
			follow(r, "**")
		}, "lost for a subscriber: 1"},
		{"an acknowledged event beyond the last that a follower has", func(r *Record) {
			batch(r, "a/1").Acked([]uint64{1})
			batch(r, "a/2").Acked([]uint64{2})
			s := follow(r, "a")
			s.see("1@1")
			s.Until(2)
		}, "lost for a subscriber: 1"},
		{"an event that is not within what the follower was told to miss", func(r *Record) {
			batch(r, "a/1").Acked([]uint64{1})
			batch(r, "a/2").Acked([]uint64{2})
			follow(r, "a").Missed(0, 1)
		}, "lost for a subscriber: 1"},
		{"the same event twice", func(r *Record) {
			batch(r, "a/1").Acked([]uint64{1})
			follow(r, "a").see("1@1", "1@1")
		}, "seen twice by a subscriber: 1; out of order: 1"},
		{"the same event once more later", func(r *Record) {
			batch(r, "a/1").Acked([]uint64{1})
			batch(r, "a/2").Acked([]uint64{2})
			follow(r, "a").see("1@1", "2@2", "1@1")
		}, "seen twice by a subscriber: 1; out of order: 1"},
		{"an offset that falls", func(r *Record) {
			batch(r, "a/1").Acked([]uint64{1})
			batch(r, "a/2").Acked([]uint64{2})
			follow(r, "a").see("2@2", "1@1")
		}, "out of order: 1"},
		{"two orders", func(r *Record) {
			batch(r, "a/1")
			follow(r, "a").see("1@1")
			follow(r, "a").see("1@2")
		}, "out of order: 1; stored twice under one id: 1"},
		{"a batch with something in between", func(r *Record) {
			batch(r, "a/1", "a/2").Acked([]uint64{1, 2})
			batch(r, "b/3").Acked([]uint64{3})
			follow(r, "**").see("1@1", "3@3", "2@2")
		}, "out of order: 1; batches split: 1"},
		{"a part of a batch", func(r *Record) {
			batch(r, "a/1", "b/2", "a/3").Acked([]uint64{1, 2, 3})
			follow(r, "a").see("3@3")
		}, "lost for a subscriber: 1; batches split: 1"},
		{"a part of a batch of unknown outcome", func(r *Record) {
			batch(r, "a/1", "a/2", "b/3")
			follow(r, "a").see("1@1")
			follow(r, "b").see("3@3")
		}, "lost for a subscriber: 1; batches split: 1"},
		{"a part of a batch that nobody was told of", func(r *Record) {
			batch(r, "a/1", "a/2")
			follow(r, "a").see("1@7")
		}, "lost for a subscriber: 1; batches split: 1"},
		{"a batch with a gap", func(r *Record) {
			batch(r, "a/1", "a/2")
			follow(r, "a").see("1@1", "2@3")
		}, "batches split: 1"},
		{"a batch that is acknowledged with a gap", func(r *Record) {
			batch(r, "a/1", "a/2").Acked([]uint64{1, 3})
		}, "batches split: 1"},
		{"a batch that is acknowledged in part", func(r *Record) {
			batch(r, "a/1", "a/2").Acked([]uint64{1})
		}, "batches split: 1"},
		{"a batch with a cursor inside", func(r *Record) {
			batch(r, "a/1", "a/2").Acked([]uint64{1, 2})
			s := follow(r, "a")
			s.Saw(Seen{ID: "1", Topic: "a", Offset: 1, N: 2, Cursor: true})
			s.see("2@2")
		}, "batches split: 1"},
		{"a batch without a cursor at its end", func(r *Record) {
			batch(r, "a/1", "a/2").Acked([]uint64{1, 2})
			batch(r, "a/3").Acked([]uint64{3})
			s := follow(r, "a")
			s.Saw(Seen{ID: "1", Topic: "a", Offset: 1, I: 0, N: 2})
			s.Saw(Seen{ID: "2", Topic: "a", Offset: 2, I: 1, N: 2})
			s.see("3@3")
		}, "batches split: 1"},
		{"a place in a batch that is not the event's", func(r *Record) {
			batch(r, "a/1", "b/2").Acked([]uint64{1, 2})
			follow(r, "b").Saw(Seen{ID: "2", Topic: "b", Offset: 2, I: 0, N: 2})
		}, "batches split: 1"},
		{"a place in a batch of a single event", func(r *Record) {
			batch(r, "a/1").Acked([]uint64{1})
			follow(r, "a").Saw(Seen{ID: "1", Topic: "a", Offset: 1, I: 0, N: 2})
		}, "batches split: 1"},
		{"one offset acknowledged twice", func(r *Record) {
			batch(r, "a/1").Acked([]uint64{1})
			batch(r, "a/2").Acked([]uint64{1})
		}, "offsets used twice: 1"},
		{"one offset acknowledged, and seen of another event", func(r *Record) {
			batch(r, "a/1").Acked([]uint64{1})
			batch(r, "b/2")
			follow(r, "b").see("2@1")
			follow(r, "b").see("2@1")
		}, "offsets used twice: 1"},
		{"one offset seen of two events", func(r *Record) {
			batch(r, "a/1")
			batch(r, "b/2")
			follow(r, "a").see("1@1")
			follow(r, "b").see("2@1")
		}, "offsets used twice: 1"},
		{"one offset of two events for one subscriber", func(r *Record) {
			batch(r, "a/1")
			batch(r, "a/2")
			batch(r, "a/3")
			follow(r, "a").see("1@1", "3@2", "2@1")
		}, "seen twice by a subscriber: 1; out of order: 1; offsets used twice: 1"},
		{"seen elsewhere than acknowledged", func(r *Record) {
			batch(r, "a/1").Acked([]uint64{1})
			follow(r, "a").see("1@2")
			follow(r, "a").see("1@2")
		}, "not where the publisher was told: 1"},
		{"a repeat acknowledged elsewhere", func(r *Record) {
			p := batch(r, "a/1")
			p.Acked([]uint64{1})
			p.Acked([]uint64{2})
		}, "not where the publisher was told: 1"},
		{"a repeat that is stored again", func(r *Record) {
			p := batch(r, "a/1")
			p.Acked([]uint64{1})
			p.Acked([]uint64{2})
			follow(r, "a").see("1@1", "1@2")
		}, "seen twice by a subscriber: 1; not where the publisher was told: 1; stored twice under one id: 1"},
		{"a repeat that is refused", func(r *Record) {
			p := batch(r, "a/1 k 0")
			p.Acked([]uint64{1})
			p.Conflicted(1)
		}, "not where the publisher was told: 1"},
		{"a yes after a no", func(r *Record) {
			p := batch(r, "a/1 k 0")
			p.Refused()
			p.Acked([]uint64{1})
		}, "not where the publisher was told: 1"},
		{"a refused event that is seen", func(r *Record) {
			batch(r, "a/1").Refused()
			follow(r, "a").see("1@1")
			follow(r, "a").see("1@1")
		}, "seen, but refused or never sent: 1"},
		{"an event that nobody sent", func(r *Record) {
			follow(r, "a").Saw(Seen{ID: "1", Topic: "a", Offset: 1})
		}, "seen, but refused or never sent: 1"},
		{"an event of another topic than it was sent to", func(r *Record) {
			batch(r, "a/1").Acked([]uint64{1})
			follow(r, "**").Saw(Seen{ID: "1", Topic: "b", Offset: 1})
		}, "seen, but refused or never sent: 1"},
		{"an event of another key than it was sent with", func(r *Record) {
			batch(r, "a/1 k").Acked([]uint64{1})
			follow(r, "**").Saw(Seen{ID: "1", Topic: "a", Key: "l", Offset: 1})
		}, "seen, but refused or never sent: 1"},
		{"a retry that is stored twice", func(r *Record) {
			batch(r, "a/1").Acked([]uint64{2})
			follow(r, "a").see("1@1", "1@2")
		}, "seen twice by a subscriber: 1; not where the publisher was told: 1; stored twice under one id: 1"},
		{"an event that is stored twice and seen by each once", func(r *Record) {
			batch(r, "a/1")
			follow(r, "a").see("1@1")
			s := follow(r, "a")
			s.From(1)
			s.see("1@2")
		}, "out of order: 1; stored twice under one id: 1"},
		{"an event of a topic that is not followed", func(r *Record) {
			batch(r, "a/1").Acked([]uint64{1})
			follow(r, "b,c/*").see("1@1")
		}, "seen by a subscriber of other topics: 1"},
		{"a condition that did not hold", func(r *Record) {
			batch(r, "a/1 k").Acked([]uint64{1})
			batch(r, "a/2 k 1").Acked([]uint64{2})
			batch(r, "a/3 k 1").Acked([]uint64{3})
		}, "conditions broken: 1"},
		{"a condition that did not hold since a retried event was stored", func(r *Record) {
			batch(r, "a/1 k")
			batch(r, "a/2 k 0").Acked([]uint64{2})
			follow(r, "**").see("1@1", "2@2")
		}, "conditions broken: 1"},
		{"a condition that asked for a key that does not exist", func(r *Record) {
			batch(r, "a/1 k 7").Acked([]uint64{9})
		}, "conditions broken: 1"},
		{"a condition that did not hold, of an event that was only seen", func(r *Record) {
			batch(r, "a/1 k 0").Acked([]uint64{1})
			batch(r, "a/2 k 0")
			follow(r, "**").see("1@1", "2@2")
		}, "conditions broken: 1"},
		{"a batch with one of two conditions that did not hold", func(r *Record) {
			batch(r, "a/1 k").Acked([]uint64{1})
			batch(r, "a/2 k 1", "a/3 l 1").Acked([]uint64{2, 3})
		}, "conditions broken: 1"},
		{"a condition that is refused although it holds", func(r *Record) {
			batch(r, "a/1 k").Acked([]uint64{1})
			batch(r, "a/2 k 1").Conflicted(1)
		}, "conditions broken: 1"},
		{"a condition that is refused for a version that never was", func(r *Record) {
			batch(r, "a/1 k").Acked([]uint64{1})
			batch(r, "a/2 k 0").Conflicted(3)
		}, "conditions broken: 1"},
		{"a reset", func(r *Record) {
			s := follow(r, "a")
			s.Told("live")
			s.Told("reset retention")
			s.Told("recovered")
		}, "resets: 1"},
		{"only live where a reset may be", func(r *Record) {
			s := follow(r, "a")
			s.MayReset()
			s.Told("live")
			s.Told("live")
		}, "resets: 1"},
		{"a reset at first", func(r *Record) { follow(r, "a").Told("reset malformed") }, "resets: 1"},
		{"a later connection that is only live", func(r *Record) {
			s := follow(r, "a")
			s.Told("live")
			s.Told("live")
			s.Told("live")
		}, "resets: 2"},
	} {
		r := New()
		c.write(r)
		f := r.Judge()
		if got := verdict(f); got != c.want {
			t.Errorf("%s: found %q, want %q\n%s", c.what, got, c.want, strings.Join(f.Details, "\n"))
		}
		if len(f.Details) == 0 || f.Clean() {
			t.Errorf("%s: there are no details, or it is called clean", c.what)
		}
	}
}
