//go:build linux

package slow

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// A follower is a healthy client: it reads whatever comes at once.
type follower struct {
	*stream

	mu     sync.Mutex
	waits  []uint32 // µs from due to received, since they were taken
	sum    uint64   // of all that was received, see digest
	count  int
	cut    error  // how the stream ended before its time
	broken string // what came that should not

	last atomic.Uint64 // offset received
}

// followers are all the healthy clients of a hub.
type followers struct {
	load    *load
	all     []*follower
	reading sync.WaitGroup
}

const smallBuffer = 4 << 10 // a small event fits

// follow connects n clients, and returns when each has its verdict.
func follow(t *testing.T, hub *harness.Process, l *load, n int) *followers {
	t.Helper()
	fs := &followers{load: l}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(func() {
		cancel()
		for _, f := range fs.all {
			f.conn.Close()
		}
		fs.reading.Wait()
	})
	for range n {
		conn, err := net.Dial("tcp", hub.Addr)
		if err != nil {
			t.Fatal(err)
		}
		s, err := open(conn, "", smallBuffer, smallTopic+"*")
		if err != nil {
			t.Fatal(err)
		}
		f := &follower{stream: s}
		fs.all = append(fs.all, f)
		var first frame
		if err := s.next(&first); err != nil || first.sync != "live" {
			t.Fatalf("a healthy client begins with %+v, %v", first, err)
		}
		fs.reading.Go(func() { f.read(ctx, l) })
	}
	return fs
}

func (f *follower) read(ctx context.Context, l *load) {
	var got frame
	for {
		err := f.next(&got)
		now := l.now()
		f.mu.Lock()
		switch {
		case err != nil && ctx.Err() == nil:
			f.cut = err
		case got.sync != "":
			f.broken = "it was told " + got.sync
		case got.offset > 0:
			f.waits = append(f.waits, uint32(max(now-got.at, 0)))
			f.sum = digest(f.sum, got.offset, got.n)
			f.count++
		}
		f.mu.Unlock()
		if err != nil {
			return
		}
		if got.offset > 0 {
			f.last.Store(got.offset)
		}
	}
}

// digest adds an event to a sum that no other sequence of events has.
func digest(sum, offset uint64, n int) uint64 {
	const prime = 1099511628211 // of FNV
	return ((sum^offset)*prime ^ uint64(n)) * prime
}

// reached waits until everybody has everything that was published, and returns how
// long each event took to each of them since this was asked before.
func (fs *followers) reached(t *testing.T) latencies {
	t.Helper()
	small := fs.load.small()
	end := small[len(small)-1].offset
	trial.EventuallyWithin(t, time.Minute, func() (string, bool) {
		behind := 0
		for _, f := range fs.all {
			if f.last.Load() < end && !f.ended() {
				behind++
			}
		}
		return fmt.Sprintf("%d healthy clients without the last event", behind), behind == 0
	})
	var waits latencies
	for _, f := range fs.all {
		f.mu.Lock()
		waits = append(waits, f.waits...)
		f.waits = f.waits[:0]
		f.mu.Unlock()
	}
	slices.Sort(waits)
	return waits
}

func (f *follower) ended() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cut != nil
}

// judge counts the clients that were cut off, and those that have seen something
// else than everything once and in order.
func (fs *followers) judge(t *testing.T) (cut, differ int) {
	t.Helper()
	var sum uint64
	small := fs.load.small()
	for _, p := range small {
		sum = digest(sum, p.offset, p.n)
	}
	for i, f := range fs.all {
		f.mu.Lock()
		switch {
		case f.cut != nil:
			cut++
			t.Errorf("healthy client %d was cut off: %v", i, f.cut)
		case f.broken != "" || f.count != len(small) || f.sum != sum:
			differ++
			t.Errorf("healthy client %d got %d events in other order or number than the %d published; %s", i, f.count, len(small), f.broken)
		}
		f.mu.Unlock()
	}
	return cut, differ
}

// latencies are in µs and sorted.
type latencies []uint32

// at is a percentile.
func (l latencies) at(percent float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	i := int(float64(len(l)-1) * percent / 100)
	return time.Duration(l[i]) * time.Microsecond
}

// median is the median of several.
func median(all []time.Duration) time.Duration {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}
