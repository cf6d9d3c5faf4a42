package soak

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// A sample is what the hub holds at a moment.
type sample struct {
	at             time.Duration // of load
	sockets, files int           // descriptors
	goroutines     int
	heap           int64 // live when it was last collected
	rss, disk      int64
	connections    int
	lagging        int
	topics         int
	allocated      int64 // since the start
}

func (s *soak) sample(ctx context.Context) (sample, error) {
	_, page, err := harness.Get(ctx, s.hub.URL("/metrics"))
	if err != nil {
		return sample{}, err
	}
	usage, err := s.hub.Usage()
	if err != nil {
		return sample{}, err
	}
	now := sample{
		goroutines: int(figure(page, "go_goroutine_count")), rss: usage.RSS,
		connections: int(figure(page, "nave_connection_active")), lagging: int(figure(page, "nave_connection_lagging")),
		topics: int(figure(page, "nave_topic_active")), allocated: int64(figure(page, "go_memory_allocated_bytes_total")),
		// The goal is what was live after the last collection, and GOGC percent more.
		heap: int64(figure(page, "go_memory_gc_goal_bytes") / (1 + figure(page, "go_config_gogc_percent")/100)),
	}
	if now.sockets, now.files, err = descriptors(s.hub.PID()); err != nil {
		return sample{}, err
	}
	now.disk = size(s.hub.Data)
	return now, nil
}

// figure is a metric's value.
func figure(page, name string) float64 {
	_, rest, _ := strings.Cut(page, "\n"+name+" ")
	text, _, _ := strings.Cut(rest, "\n")
	v, _ := strconv.ParseFloat(text, 64)
	return v
}

func descriptors(pid int) (sockets, files int, err error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	all, err := os.ReadDir(dir)
	if err != nil {
		return 0, 0, err
	}
	for _, fd := range all {
		switch target, err := os.Readlink(filepath.Join(dir, fd.Name())); {
		case err != nil: // closed meanwhile
		case strings.HasPrefix(target, "socket:"):
			sockets++
		default:
			files++
		}
	}
	return sockets, files, nil
}

// size is what the files below dir take. Some may go meanwhile.
func size(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum
}

// rest waits until nobody is connected and what is garbage has been collected, and
// says what the hub holds then.
func (s *soak) rest(when string) sample {
	s.t.Helper()
	s.quiet()
	s.collect()
	// What the hub says of Go's runtime may be 15 seconds old, until that changes.
	now := trial.EventuallyWithin(s.t, time.Minute, func() (sample, bool) {
		now := s.look()
		return now, now.allocated != s.allocated && now.connections == 0
	})
	s.allocated = now.allocated
	now.sockets = s.quiet()
	s.t.Logf("%s: %d sockets, %d other descriptors, %d goroutines, heap %s, RSS %s, disk %s, %d topics",
		when, now.sockets, now.files, now.goroutines, mb(now.heap), mb(now.rss), mb(now.disk), now.topics)
	return now
}

// quiet waits until the hub has no socket but the one that it listens on.
func (s *soak) quiet() int {
	s.t.Helper()
	return trial.Eventually(s.t, func() (int, bool) {
		s.client.CloseIdleConnections()
		http.DefaultClient.CloseIdleConnections() // those that ask for metrics
		n, _, err := descriptors(s.hub.PID())
		return n, err == nil && n <= 1
	})
}

// collect makes the hub collect its garbage some times over, by having it produce
// more of it.
func (s *soak) collect() {
	s.t.Helper()
	for range 30 {
		if _, _, err := s.get(trial.Soon(s.t), "application/json", "/v1/state", url.Values{"topic": {"**"}}); err != nil {
			s.t.Fatal(err)
		}
	}
	for range 500 {
		if _, _, err := s.get(trial.Soon(s.t), "application/json", "/", nil); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *soak) look() sample {
	s.t.Helper()
	now, err := s.sample(trial.Soon(s.t))
	if err != nil {
		s.t.Fatal(err)
	}
	return now
}

// restUntilTopicsLeave waits for what has to be idle for 5 minutes before it goes.
func (s *soak) restUntilTopicsLeave() sample {
	s.t.Helper()
	trial.EventuallyWithin(s.t, 7*time.Minute, func() (int, bool) {
		time.Sleep(time.Second)
		now := s.look()
		return now.topics, now.topics == 0
	})
	return s.rest("when the topics have left")
}

// watch samples until the load ends, and says now and then what there is.
func (s *soak) watch(ctx context.Context) {
	tick := time.NewTicker(trial.Pick(500*time.Millisecond, 2*time.Second))
	defer tick.Stop()
	logged := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := s.sample(context.WithoutCancel(ctx)) // to the end: it says which figures are old then
		if err != nil {
			s.t.Errorf("sample: %v", err)
			return
		}
		now.at = s.loaded + time.Since(s.loading)
		s.allocated = now.allocated
		s.samples = append(s.samples, now)
		if time.Since(logged) > trial.Pick(10*time.Second, 20*time.Second) {
			logged = time.Now()
			s.t.Logf("%v: %d connections, %d lagging, %d topics, %d sockets, %d goroutines, heap %s, RSS %s, disk %s; %d acknowledged",
				now.at.Round(time.Second), now.connections, now.lagging, now.topics, now.sockets, now.goroutines,
				mb(now.heap), mb(now.rss), mb(now.disk), s.acked.count())
		}
	}
}

// slopes lays lines through the second half of the samples. The heap may grow by
// so much.
func (s *soak) slopes(table *trial.Table, bounded bool, heap int64) {
	half := s.samples[len(s.samples)/2:]
	lasted := half[len(half)-1].at - half[0].at
	lagging, connections := 0, 0
	for _, now := range s.samples {
		lagging, connections = max(lagging, now.lagging), max(connections, now.connections)
	}
	table.Row("connections and lagging clients, at most", "", "%d, %d", connections, lagging)
	for _, line := range []struct {
		what string
		of   func(sample) int64
		most int64 // over the second half
	}{
		{"heap", func(s sample) int64 { return s.heap }, heap},
		{"RSS", func(s sample) int64 { return s.rss }, moreRSS / 2},
		{"goroutines", func(s sample) int64 { return int64(s.goroutines) }, 30},
	} {
		if !bounded && line.what != "RSS" {
			continue // too short for figures that are 15 seconds old
		}
		grown := slope(half, line.of) * lasted.Seconds()
		must := ""
		if bounded {
			must = fmt.Sprintf("%s or less", amount(line.what, float64(line.most)))
			if grown > float64(line.most) {
				s.t.Errorf("%s has grown by %s in %v, want %s", line.what, amount(line.what, grown), lasted, must)
			}
		}
		table.Row(fmt.Sprintf("growth in the last %v, by a line through %d samples: %s", lasted.Round(time.Second), len(half), line.what),
			must, "%s", amount(line.what, grown))
	}
}

func amount(what string, n float64) string {
	if what == "goroutines" {
		return fmt.Sprintf("%.1f", n)
	}
	return fmt.Sprintf("%.1f MB", n/(1<<20))
}

// slope is that of the line with the least squares, a second.
func slope(samples []sample, of func(sample) int64) float64 {
	var n, x, y, xx, xy float64
	for _, s := range samples {
		t, v := s.at.Seconds(), float64(of(s))
		n, x, y, xx, xy = n+1, x+t, y+v, xx+t*t, xy+t*v
	}
	if d := n*xx - x*x; d > 0 {
		return (n*xy - x*y) / d
	}
	return 0
}
