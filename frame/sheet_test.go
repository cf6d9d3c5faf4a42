package frame_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/navehub/nave"
	"github.com/navehub/nave/frame"
)

// batches are events as a log has them.
func batches(sizes ...int) (events []nave.Event) {
	for _, n := range sizes {
		for i := range n {
			events = append(events, nave.Event{
				Topic: "cards/1", Type: "card.moved", Data: json.RawMessage(`"` + strings.Repeat("x", 200) + `"`),
				Offset: uint64(len(events) + 1), Batch: nave.Position{I: i, N: n},
			})
		}
	}
	return events
}

// pieces is what somebody is sent who follows these frames.
func pieces(frames []*frame.Frame) (all [][]byte) {
	for i, f := range frames {
		last := i+1 == len(frames) || !frame.SameBatch(f, frames[i+1])
		all = f.AppendPieces(all, frame.SSE, last)
	}
	return all
}

func TestNeighboursAreOnePiece(t *testing.T) {
	all := frame.All(epoch, batches(1, 3, 1, 2))
	if got := len(pieces(all)); got != 1 {
		t.Errorf("all of them are %d pieces, want 1", got)
	}
	if got := len(pieces(all[2:3])); got != 2 {
		t.Errorf("one inside a batch and its id are %d pieces, want 2", got)
	}
	others := []*frame.Frame{all[0], all[4]}
	if got := len(pieces(others)); got != 2 {
		t.Errorf("two apart are %d pieces, want 2", got)
	}
}

func TestWhoKeepsAFrameKeepsLittleElse(t *testing.T) {
	all := frame.All(epoch, batches(slices.Repeat([]int{1}, 1000)...))
	if got := frame.Kept(all[500:501]); got > 16<<10 {
		t.Errorf("one of a thousand frames keeps %d bytes", got)
	}
	if got, text := frame.Kept(all), len(bytes.Join(pieces(all), nil)); got < text {
		t.Errorf("a thousand frames keep %d bytes, and are %d", got, text)
	}
}

// Whatever a client follows, it is sent the same bytes as if each frame had been
// made by itself.
func TestSheetsDoNotShow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := batches(rapid.SliceOfN(rapid.IntRange(1, 5), 1, 30).Draw(t, "sizes")...)
		for i := range events {
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				events[i].Type = strings.Repeat("é\"", rapid.IntRange(0, 60).Draw(t, "escaped"))
				events[i].Key = events[i].Type
			case 1:
				events[i].Data = nil
			}
		}
		var shared, single []*frame.Frame
		for i, f := range frame.All(epoch, events) {
			if rapid.Bool().Draw(t, "follows") {
				shared, single = append(shared, f), append(single, frame.New(epoch, events[i], noon))
			}
		}
		got, want := bytes.Join(pieces(shared), nil), bytes.Join(pieces(single), nil)
		if !bytes.Equal(got, want) {
			t.Fatalf("together:\n%s\neach by itself:\n%s", got, want)
		}
	})
}
