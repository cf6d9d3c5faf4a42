//go:build linux

package mode

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/navehub/nave/bench/load"
	"github.com/navehub/nave/bench/server"
)

var idleMode = Mode{
	Name: "idle",
	Doc:  "clients to whom nothing happens, and what each takes",
	Flags: func(f *flag.FlagSet) func() ([]Case, error) {
		var o idle
		numberVar(f, &o.clients, "clients", 15000, mostClients, "subscribers")
		numberVar(f, &o.topics, "topics", 100, mostTopics, "topics, each client of one")
		lengthVar(f, &o.settle, "settle", 25*time.Second, longest, "how long they are left alone before they are measured: until the hub has given back what connecting took")
		return func() ([]Case, error) {
			return []Case{{Name: "idle", Servers: append(slices.Clone(baselines), server.Tokens), Columns: idleColumns, Run: o.run}}, nil
		}
	},
}

var idleColumns = []Column{
	{"connection", "RSS a connection", kilobytes},
	{"heap", "heap and stacks a connection", kilobytes},
	{"kernel", "kernel a connection, both ends", kilobytes},
	{"before", "RSS before", megabytes},
	rssColumn, {"peak", "peak", megabytes},
	{"connects", "connects/s", count},
}

type idle struct {
	clients, topics int
	settle          time.Duration
}

func (o idle) run(ctx context.Context, k *server.Kit, name string) (Figures, error) {
	r, err := begin(ctx, k, name, load.Topics{Prefix: "board/", N: o.topics}, 0)
	if err != nil {
		return nil, err
	}
	defer r.end()
	if err := r.wait(ctx, min(2*time.Second, o.settle)); err != nil {
		return nil, err
	}
	before, err := memoryOf(ctx, r.server)
	if err != nil {
		return nil, err
	}
	for i := range o.clients {
		r.crowd.Add(r.topics.Only(i % o.topics))
	}
	begun := time.Now()
	if err := r.crowd.Connect(ctx); err != nil {
		return nil, err
	}
	took := time.Since(begun)
	if err := r.wait(ctx, o.settle); err != nil {
		return nil, err
	}
	after, err := memoryOf(ctx, r.server)
	if err != nil {
		return nil, err
	}
	each := func(a, b int64) float64 { return float64(a-b) / float64(o.clients) / 1000 }
	f := Figures{
		"connection": each(after.rss, before.rss),
		"kernel":     each(after.kernel, before.kernel),
		"before":     float64(before.rss) / 1e6,
		"rss":        float64(after.rss) / 1e6,
		"peak":       float64(after.peak) / 1e6,
		"connects":   float64(o.clients) / took.Seconds(),
	}
	if after.heap != before.heap { // else they are the same figures
		f["heap"] = each(after.heap, before.heap)
	}
	return f, r.wake(ctx)
}

// wake lets something happen to everybody, which shows that they are still served.
func (r *trial) wake(ctx context.Context) error {
	if err := r.publishAll(ctx, r.topics.N); err != nil {
		return err
	}
	return r.finish(ctx)
}

type memory struct{ rss, peak, heap, kernel int64 }

func memoryOf(ctx context.Context, s *server.Server) (m memory, err error) {
	if server.IsHub(s.Name) { // first, since it makes garbage
		if m.heap, err = heapOf(ctx, target(s)); err != nil {
			return m, err
		}
	}
	usage, err := s.Usage()
	if err != nil {
		return m, err
	}
	m.rss, m.peak = usage.RSS, usage.PeakRSS
	m.kernel, err = kernelMemory()
	return m, err
}

// heapOf is what Go uses itself, by the server's metrics: heap and stacks, live and
// not collected yet, without what is held for later.
func heapOf(ctx context.Context, of load.Target) (int64, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+of.Addr+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	q.Close = true
	if of.Token != "" {
		q.Header.Set("Authorization", "Bearer "+of.Token)
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(name, "go_memory_used_bytes") {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return 0, err
			}
			sum += n
		}
	}
	return int64(sum), nil
}

// kernelMemory is what the kernel has in slabs and in buffers of TCP.
func kernelMemory() (int64, error) {
	info, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	sockets, err := os.ReadFile("/proc/net/sockstat")
	if err != nil {
		return 0, err
	}
	var slab, pages int64
	if _, rest, ok := bytes.Cut(info, []byte("Slab:")); ok {
		fmt.Sscan(string(rest), &slab)
	}
	if _, rest, ok := bytes.Cut(sockets, []byte(" mem ")); ok { // TCP's come first
		fmt.Sscan(string(rest), &pages)
	}
	return slab<<10 + pages*int64(os.Getpagesize()), nil
}
