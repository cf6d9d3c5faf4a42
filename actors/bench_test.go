package actors

import (
	"context"
	"runtime"
	"testing"

	"github.com/navehub/nave/supervision"
)

func benchSystem(b *testing.B) *System {
	s := NewSystem(Options{})
	b.Cleanup(func() { _ = s.Shutdown(context.Background()) })
	return s
}

func benchTell(b *testing.B, senders int) {
	n := b.N - b.N%senders
	done := make(chan struct{})
	left := n
	r, err := Spawn(benchSystem(b), "sink", Spec[any]{
		Kind:    supervision.Topic,
		Mailbox: Limits{Count: 1000},
		New: func() Actor[any] {
			return &script{other: func(any) {
				if left--; left == 0 {
					close(done)
				}
			}}
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	if n == 0 {
		return
	}
	var m any = "message"
	b.ReportAllocs()
	b.ResetTimer()
	for range senders {
		go func() {
			for range n / senders {
				for r.Tell(m) != nil {
					runtime.Gosched()
				}
			}
		}()
	}
	<-done
}

func BenchmarkTell1(b *testing.B)  { benchTell(b, 1) }
func BenchmarkTell8(b *testing.B)  { benchTell(b, 8) }
func BenchmarkTell64(b *testing.B) { benchTell(b, 64) }

// BenchmarkTellIdle wakes an actor for each message.
func BenchmarkTellIdle(b *testing.B) {
	handled := make(chan struct{})
	r, err := Spawn(benchSystem(b), "idle", Spec[any]{Kind: supervision.Topic, New: func() Actor[any] {
		return &script{other: func(any) { handled <- struct{}{} }}
	}})
	if err != nil {
		b.Fatal(err)
	}
	var m any = "message"
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Tell(m)
		<-handled
	}
}

func BenchmarkAsk(b *testing.B) {
	r, err := Spawn(benchSystem(b), "asked", Spec[any]{Kind: supervision.Topic, New: func() Actor[any] {
		return &script{other: func(m any) { m.(Reply[int]).Send(1) }}
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Ask(b.Context(), r, func(p Reply[int]) any { return p }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSpawnStop(b *testing.B) {
	s := benchSystem(b)
	spec := Spec[any]{Kind: supervision.Client, New: func() Actor[any] { return &script{} }}
	b.ReportAllocs()
	for b.Loop() {
		r, err := Spawn(s, "client", spec)
		if err != nil {
			b.Fatal(err)
		}
		_ = r.StopAndWait(context.Background())
	}
}

// BenchmarkIdleActors measures what an idle actor holds, protoactor's part and
// one handled message included; and what Stats costs with so many.
func BenchmarkIdleActors(b *testing.B) {
	const n = 100_000
	for b.Loop() {
		s := benchSystem(b)
		idle := &script{}
		spec := Spec[any]{Kind: supervision.Client, New: func() Actor[any] { return idle }}
		refs := make([]Ref[any], n)
		before := heap()
		for i := range refs {
			refs[i], _ = Spawn(s, "client", spec)
			_ = refs[i].Tell("x")
		}
		for _, r := range refs {
			for r.Waiting() > 0 {
				runtime.Gosched()
			}
		}
		b.ReportMetric(float64(heap()-before)/n, "B/actor")
		b.StopTimer()
		_ = s.Shutdown(context.Background())
		b.StartTimer()
	}
}

func BenchmarkStats(b *testing.B) {
	const n = 100_000
	s := benchSystem(b)
	spec := Spec[any]{Kind: supervision.Client, New: func() Actor[any] { return &script{} }}
	for range n {
		_, _ = Spawn(s, "client", spec)
	}
	for b.Loop() {
		s.Stats()
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
