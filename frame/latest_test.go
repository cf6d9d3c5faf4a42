package frame_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/navehub/nave"
	"github.com/navehub/nave/frame"
)

// history draws batches that follow each other, over few keys.
func history(t *rapid.T) (events []nave.Event) {
	offset := uint64(rapid.IntRange(1, 1000).Draw(t, "first"))
	for range rapid.IntRange(0, 12).Draw(t, "batches") {
		n := max(1, rapid.IntRange(-4, 4).Draw(t, "n")) // most are of one
		for i := range n {
			events = append(events, nave.Event{
				Topic: nave.Topic(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "topic")), Type: "moved",
				Key:    rapid.SampledFrom([]string{"", "k", "l"}).Draw(t, "key"),
				Offset: offset, Batch: nave.Position{I: i, N: n},
				Data: fmt.Appendf(nil, "%d", offset),
			})
			offset++
		}
	}
	return events
}

// state is what a client makes of events: what each key is, and what happened without.
func state(frames []*frame.Frame) map[string]uint64 {
	s := make(map[string]uint64)
	for _, f := range frames {
		e := &f.Event
		if name := string(e.Topic) + "/" + e.Key; e.Key != "" {
			s[name] = e.Offset
		} else {
			s[fmt.Sprint(name, e.Offset)] = e.Offset
		}
	}
	return s
}

func TestLatestKeepsTheStateAndWholeBatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := frame.All(epoch, history(t))
		before := slices.Clone(all)
		got := frame.Latest(all)
		if !slices.Equal(all, before) {
			t.Fatal("what is shared has been changed")
		}
		want, is := state(all), state(got)
		if len(want) != len(is) {
			t.Fatalf("%d keys and events, want %d", len(is), len(want))
		}
		for name, offset := range want {
			if is[name] != offset {
				t.Fatalf("%s is at %d, want %d", name, is[name], offset)
			}
		}
		next := 0
		alone := make(map[string]int)
		for _, f := range all {
			there := next < len(got) && got[next] == f
			if there {
				next++
			}
			e := &f.Event
			switch {
			case e.Batch.N > 1 && !there:
				t.Fatalf("%d is left out of its batch", e.Offset)
			case e.Key == "" && !there:
				t.Fatalf("%d is left out, and has no key", e.Offset)
			case there && e.Batch.N == 1 && e.Key != "":
				alone[string(e.Topic)+"/"+e.Key]++
			}
		}
		if next != len(got) {
			t.Fatal("the order is another")
		}
		for name, n := range alone {
			if n > 1 {
				t.Fatalf("%d events of %s alone, want the latest", n, name)
			}
		}
	})
}
