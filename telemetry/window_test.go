package telemetry

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/navehub/nave"
)

// Every duration is in the bucket whose bounds it is between, and none is left out.
func TestBucketsFollowEachOther(t *testing.T) {
	end := time.Duration(0)
	for bucket := range buckets {
		low, width := bounds(bucket)
		if low != end || bucketOf(low) != bucket || bucketOf(low+width-1) != bucket {
			t.Fatalf("bucket %d is from %v on, %v wide, and the one before ends at %v", bucket, low, width, end)
		}
		end = low + width
	}
	if bucketOf(-time.Second) != 0 || bucketOf(time.Hour) != buckets-1 {
		t.Error("what is outside is in no bucket at its end")
	}
}

func TestQuantilesAreCloseToTheTruth(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	tel := Disabled()
	window := tel.Window()
	var all []time.Duration
	for range 10_000 {
		d := time.Duration(rng.ExpFloat64() * float64(20*time.Millisecond))
		all = append(all, d)
		tel.Took("sse", d, d)
	}
	window.Slide(time.Second)
	slices.Sort(all)
	seen := window.Last(10).Propagation
	if seen.Count() != 10_000 {
		t.Fatalf("%d seen", seen.Count())
	}
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99} {
		want := all[min(int(q*10_000), 9_999)]
		if got := seen.Quantile(q); got < want*15/16 || got > want*17/16 {
			t.Errorf("%v of all are within %v, want %v", q, got, want)
		}
	}
	if got := new(Latencies).Quantile(0.5); got != 0 {
		t.Errorf("the median of nothing is %v", got)
	}
}

// What is older than ten slides does not count any more.
func TestWindowSlides(t *testing.T) {
	tel := Disabled()
	tel.Published(nave.Durable, 100, 0) // before it looks
	window := tel.Window()
	for i := range 25 {
		tel.Published(nave.Durable, i, time.Millisecond)
		tel.Admitted(time.Millisecond)
		tel.Appended(1, 1, 0, 2*time.Millisecond)
		tel.Delivered("sse", true, 2*i)
		tel.passOn() // which does not take it away
		if i%2 == 0 {
			tel.Refused(nave.CodeOverloaded)
		} else {
			tel.Refused(nave.CodeBusy)
		}
		window.Slide(time.Second)
		n := min(i+1, 10)
		events := uint64(n * (2*i - n + 1) / 2) // of the last n
		got := window.Last(10)
		if got.Over != time.Duration(n)*time.Second || got.Publishes != uint64(n) || got.Events != events || got.Delivered != 2*events {
			t.Fatalf("after %d slides: %d publishes, %d events, %d delivered within %v", i+1, got.Publishes, got.Events, got.Delivered, got.Over)
		}
		if got.Refused != uint64(n) || got.Overloaded < uint64(n/2) || got.Overloaded > uint64(n/2+1) {
			t.Fatalf("after %d slides: %d of %d refused were overloaded", i+1, got.Overloaded, got.Refused)
		}
		if got.Topic.Count() != uint64(n) || got.Append.Count() != uint64(n) {
			t.Fatalf("after %d slides: %d waits for topics, %d commits", i+1, got.Topic.Count(), got.Append.Count())
		}
		if last := window.Last(1); last.Over != time.Second || last.Events != uint64(i) {
			t.Fatalf("slide %d: %d events within %v", i+1, last.Events, last.Over)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	tel := Disabled()
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for d := time.Duration(0); p.Next(); d += 12345 {
			tel.counted.propagation.record(d & (1<<28 - 1))
		}
	})
}
