package frame_test

import (
	"fmt"
	"testing"

	"github.com/navehub/nave/frame"
)

func BenchmarkAll(b *testing.B) {
	for _, n := range []int{1, 32} {
		events := batches(n)
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				frame.All(epoch, events)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
		})
	}
}

// BenchmarkPieces is what each client does with 32 events that it follows.
func BenchmarkPieces(b *testing.B) {
	frames := frame.All(epoch, batches(32))
	var list [][]byte
	b.ReportAllocs()
	for b.Loop() {
		list = list[:0]
		for i, f := range frames {
			list = f.AppendPieces(list, frame.SSE, i+1 == len(frames))
		}
	}
}
