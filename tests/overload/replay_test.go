package overload

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// Clients that want the whole log, all at once, beside others that are live: all
// get all, within bounded memory, and the live ones go on as if nothing were.
func TestHugeReplay(t *testing.T) {
	clients, events := many(30, 200), trial.Pick(20_000, 100_000)
	table := trial.NewTable(t, "replay", fmt.Sprintf("%d clients replay %d events at once, beside %d that ask for them and read nothing", clients, events, 20*clients))
	for _, topics := range trial.Pick([]int{100}, []int{100, 1000}) {
		t.Run(fmt.Sprintf("%d topics", topics), func(t *testing.T) { replay(t, table, clients, events, topics) })
	}
}

func replay(t *testing.T, table *trial.Table, clients, events, topics int) {
	name := fmt.Sprintf("%d topics", topics)
	hub := hubWith(t, 20_000)
	offsets, epoch := fill(t, hub, events, topics)
	heard := newHearing()
	live := gather(t, hub, 20, following("live/*"), func(c *harness.Crowd) { c.Saw = heard.hear })
	stop := publishSteadily(t, hub)
	usual := quietly(t, heard)
	idle := trial.Usage(t, hub)
	memory := watch(t, hub)

	stuck := replayAndReadNothing(t, hub, epoch, 20*clients)
	start := time.Now()
	crowd := gather(t, hub, clients, following("log/**"), func(c *harness.Crowd) {
		c.From, c.Buffer = epoch+"-0", 32<<10
	})
	awaitEach(t, crowd, func(_ int, s harness.Standing) bool { return s.Last >= offsets[len(offsets)-1] })
	took := time.Since(start)
	memory.end()
	used := trial.Usage(t, hub)
	acked := stop()
	stuck()

	wrong, want := 0, harness.TallyOf(offsets)
	for _, s := range crowd.Standings() {
		if s.Tally != want || s.Resets > 0 || s.Streams != 1 {
			wrong++
		}
	}
	table.Row(name+": all have everything after", "", "%v, %.0f events a second", round(took), float64(clients*len(offsets))/took.Seconds())
	table.Row(name+": processor", "", "%v", used.CPU-idle.CPU)
	table.Count(name+": clients that lack something, or have it twice or out of order", wrong)
	within(t, table, name+": most RSS", memory.peak(), idle.RSS+replayBudget(21*clients))
	awaitLive(t, live, acked)
	table.Count(name+": live events lost or out of order", heard.lacks(t, acked)+disorder(live))
	table.Row(name+": live events, accepted to received, p50, p99, most", "", "%v, %v, %v; %v, %v, %v before",
		heard.took.at(50), heard.took.at(99), heard.took.at(100), usual[0], usual[1], usual[2])
}

// replayBudget is what pages of the log may take while they are written, and what
// so many clients cost besides.
func replayBudget(clients int) int64 {
	const pages, client, other = 64 << 20, 16 << 10, 32 << 20
	return (pages + int64(clients)*client + other) * 3 / 2
}

// replayAndReadNothing lets others ask for the whole log, and take none of it. When
// the hub ends such a stream they come back. leave ends that.
func replayAndReadNothing(t *testing.T, hub *harness.Process, epoch string, n int) (leave func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for ctx.Err() == nil {
				readNothing(ctx, hub, epoch)
			}
		})
	}
	t.Cleanup(func() { cancel(); all.Wait() })
	return func() { cancel(); all.Wait() }
}

// readNothing returns when the hub has closed the connection, which it shows by
// not taking anything any more.
func readNothing(ctx context.Context, hub *harness.Process, epoch string) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", hub.Addr)
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10) // or the kernel would take megabytes for it
	_, err = fmt.Fprintf(conn, "GET /v1/events?topic=log/** HTTP/1.1\r\nHost: hub\r\nLast-Event-ID: %s-0\r\n\r\n", epoch)
	for err == nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
			_, err = conn.Write([]byte("\n"))
		}
	}
}

// fill publishes some events of 32 KiB, so that the first pages of the log are as
// large as pages get, and then the others, of 200 bytes. It returns the offsets, in
// order.
func fill(t *testing.T, hub *harness.Process, events, topics int) (offsets []uint64, epoch string) {
	t.Helper()
	const large, batch = 60, 100
	for i := range large {
		a := trial.Publish(t, hub, harness.Event{Topic: fmt.Sprintf("log/%d", i%topics), Type: "large", Data: padding[:32<<10]})
		offsets = append(offsets, a.Events[0].Offset)
	}
	events -= large
	var mu sync.Mutex
	var all sync.WaitGroup
	var next atomic.Int64
	for range 8 {
		all.Go(func() {
			for !t.Failed() {
				from := int(next.Add(batch)) - batch
				if from >= events {
					return
				}
				var b []harness.Event
				for i := from; i < min(from+batch, events); i++ {
					b = append(b, harness.Event{Topic: fmt.Sprintf("log/%d", i%topics), Type: "old", Data: padding[:200]})
				}
				a, err := harness.Publish(t.Context(), hub.URL("/v1/events"), b...)
				if err != nil || a.Status != 200 {
					t.Errorf("publish: %d %s %v", a.Status, a.Detail, err)
					return
				}
				mu.Lock()
				for _, e := range a.Events {
					offsets = append(offsets, e.Offset)
				}
				epoch, _, _ = strings.Cut(a.Cursor, "-")
				mu.Unlock()
			}
		})
	}
	all.Wait()
	slices.Sort(offsets)
	return offsets, epoch
}

// publishSteadily publishes 50 events a second for live clients, until it is asked
// which were accepted where.
func publishSteadily(t *testing.T, hub *harness.Process) (accepted func() map[uint64]string) {
	ctx, cancel := context.WithCancel(t.Context())
	acked := make(map[uint64]string)
	var work sync.WaitGroup
	work.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ctx.Err() == nil; i++ {
			id := fmt.Sprint(i)
			a, err := harness.Publish(context.WithoutCancel(ctx), hub.URL("/v1/events"),
				harness.Event{Topic: "live/1", Type: "new", ID: id, Source: "live"})
			if err != nil || a.Status != 200 {
				t.Errorf("publish to who is live: %d %s %v", a.Status, a.Detail, err)
				return
			}
			acked[a.Events[0].Offset] = id
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	})
	t.Cleanup(func() { cancel(); work.Wait() })
	return func() map[uint64]string {
		cancel()
		work.Wait()
		return acked
	}
}

// quietly is how fast live events are while nothing else happens.
func quietly(t *testing.T, heard *hearing) (usual [3]time.Duration) {
	t.Helper()
	const enough = 50
	trial.Eventually(t, func() (int, bool) {
		n := heard.took.count()
		return n, n >= enough
	})
	usual = [3]time.Duration{heard.took.at(50), heard.took.at(99), heard.took.at(100)}
	heard.took.forget()
	return usual
}

func awaitLive(t *testing.T, live *harness.Crowd, acked map[uint64]string) {
	t.Helper()
	last := uint64(0)
	for offset := range acked {
		last = max(last, offset)
	}
	if err := live.Await(trial.Soon(t), live.Size, harness.Reached(last)); err != nil {
		t.Errorf("live clients: %v", err)
	}
}
