package frame_test

import (
	"slices"
	"testing"

	"github.com/navehub/nave/frame"
)

// Frames of events that are committed together lie in one buffer: how many
// allocations they take hangs on the buffers, and not on the events.
func TestAllAllocatesForSheets(t *testing.T) {
	for n, most := range map[int]float64{1: 4, 32: 4} {
		events := batches(slices.Repeat([]int{1}, n)...)
		if got := testing.AllocsPerRun(100, func() { frame.All(epoch, events) }); got > most {
			t.Errorf("%d events: %v allocations, want at most %v", n, got, most)
		}
	}
}
