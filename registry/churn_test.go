package registry_test

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/registry"
)

func client(i int) registry.Client {
	return registry.Client{
		ID:        fmt.Sprintf("client-%06d", i),
		Filters:   nave.Filters{nave.Filter(fmt.Sprintf("cards/board-%d", i%100)), "users/**", "session/**"},
		Transport: "sse",
		Address:   netip.MustParseAddr("203.0.113.7"),
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
		Connected: time.Now(),
		State:     registry.Live,
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Clients come and go all day: what they leave behind is nothing.
func TestChurnLeavesNothing(t *testing.T) {
	const (
		clients = 10_000
		rounds  = 2
	)
	r := registry.New(time.Millisecond)
	last := client(clients - 1).ID
	await := func(there bool) registry.Snapshot {
		for {
			s := r.Snapshot()
			if _, ok := s.Client(last); ok == there {
				return s
			}
			time.Sleep(time.Millisecond)
		}
	}
	before := heap()
	for range rounds {
		for i := range clients {
			r.PutClient(client(i))
		}
		if n := await(true).Count().Clients; n != clients {
			t.Fatalf("%d clients have come, want %d", n, clients)
		}
		for i := range clients {
			r.RemoveClient(client(i).ID)
		}
		if n := await(false).Count().Clients; n != 0 {
			t.Fatalf("%d clients are left, want 0", n)
		}
	}
	r.Close() // the last write may have been seen before its writer is done with it
	if left := heap() - before; left > 256<<10 {
		t.Errorf("%d clients have come and gone %d times and left %d KiB behind", clients, rounds, left>>10)
	}
	runtime.KeepAlive(r)
}

func TestConcurrentUse(t *testing.T) {
	r := registry.New(time.Millisecond)
	shared := r.Snapshot()
	var work sync.WaitGroup
	for g := range 8 {
		work.Go(func() {
			for i := range 200 {
				c := client(g*1000 + i)
				r.PutClient(c)
				r.PutTopic(registry.Topic{Name: nave.Topic(c.ID)})
				row, _ := r.Snapshot().Client(client(i).ID)
				row.State = registry.CatchingUp
				_ = shared.Count()
				if i%2 == 0 {
					r.RemoveClient(c.ID)
				}
			}
		})
	}
	work.Wait()
	r.Close()
	want := registry.Counts{Clients: 800}
	if got := r.Snapshot().Count(); got != want {
		t.Errorf("counts = %+v, want %+v", got, want)
	}
}

// What one client costs that comes and goes: two rows written. The batch is what
// comes and goes between two writes.
func BenchmarkChurn(b *testing.B) {
	for _, batch := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			r := registry.New(time.Hour)
			fill(b, r, 10_000)
			defer r.Close()
			rows := make([]registry.Client, batch)
			for i := range rows {
				rows[i] = client(1_000_000 + i)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += batch {
				for _, c := range rows {
					r.PutClient(c)
				}
				r.Flush()
				for _, c := range rows {
					r.RemoveClient(c.ID)
				}
				r.Flush()
			}
		})
	}
}

// What a caller of PutClient waits for.
func BenchmarkPut(b *testing.B) {
	r := registry.New(0)
	defer r.Close()
	c := client(1)
	b.ReportAllocs()
	for b.Loop() {
		r.PutClient(c)
	}
}

func BenchmarkQuery(b *testing.B) {
	r := registry.New(time.Hour)
	fill(b, r, 15_000)
	defer r.Close()
	b.Run("snapshot", func(b *testing.B) {
		for b.Loop() {
			_ = r.Snapshot()
		}
	})
	b.Run("client", func(b *testing.B) {
		for b.Loop() {
			_, _ = r.Snapshot().Client("client-000042")
		}
	})
	b.Run("count-15000", func(b *testing.B) {
		for b.Loop() {
			_ = r.Snapshot().Count()
		}
	})
	b.Run("clients-of-15000", func(b *testing.B) {
		for b.Loop() {
			n := 0
			r.Snapshot().EachClient(func(c *registry.Client) {
				if c.Filters.Match("cards/board-42") {
					n++
				}
			})
			if n != 150 {
				b.Fatalf("%d clients, want 150", n)
			}
		}
	})
}

// Bytes a row: the table's part, the row's own, and its filters' and texts'.
func BenchmarkRowBytes(b *testing.B) {
	const rows = 20_000
	for b.Loop() {
		before := heap()
		r := registry.New(time.Hour)
		fill(b, r, rows)
		b.ReportMetric(float64(heap()-before)/rows, "B/row")
		r.Close()
	}
}

func fill(b *testing.B, r *registry.Registry, n int) {
	b.Helper()
	for i := range n {
		r.PutClient(client(i))
	}
	r.Flush()
}
