//go:build linux

package mode

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/navehub/nave/bench/load"
	"github.com/navehub/nave/bench/server"
	"github.com/navehub/nave/tests/harness"
)

// A trial is one server under load.
type trial struct {
	loop   *load.Loop
	server *server.Server
	topics load.Topics
	ledger *load.Ledger
	crowd  *load.Crowd
	others *load.Crowd // whose latency is not looked at
	pubs   *load.Publishers

	patience time.Duration
}

func target(s *server.Server) load.Target { return load.Target{Addr: s.Addr, Token: s.Token} }

// begin starts a server, which keeps so many events if it is a baseline.
func begin(ctx context.Context, k *server.Kit, name string, t load.Topics, keep int) (*trial, error) {
	s, err := k.Start(ctx, name, keep)
	if err != nil {
		return nil, err
	}
	return attach(k, s, t)
}

// attach takes a server that runs.
func attach(k *server.Kit, s *server.Server, t load.Topics) (*trial, error) {
	loop, err := load.NewLoop()
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	r := &trial{loop: loop, server: s, topics: t, ledger: load.NewLedger(t), patience: cmp.Or(k.Patience, 20*time.Second)}
	var failed [3]error
	r.crowd, failed[0] = load.NewCrowd(r.loop, target(s), r.ledger)
	r.others, failed[1] = load.NewCrowd(r.loop, target(s), r.ledger)
	r.pubs, failed[2] = load.NewPublishers(r.loop, target(s), t, r.ledger)
	if err := errors.Join(failed[:]...); err != nil {
		r.end()
		return nil, err
	}
	return r, nil
}

func (r *trial) end() {
	r.loop.Close()
	err := r.server.Stop()
	if said := r.server.Output(); said != "" || err != nil {
		fmt.Fprintf(os.Stderr, "%s ended (%v), and said: %.2000s\n", r.server.Name, err, said)
	}
}

// wait serves the connections for some time.
func (r *trial) wait(ctx context.Context, d time.Duration) error {
	_, err := r.loop.Run(ctx, d, nil)
	return err
}

// publish publishes what next says, until so many more events are accepted.
func (r *trial) publish(ctx context.Context, events int64, limit time.Duration, next func(*load.Request) bool) error {
	goal := r.pubs.Accepted + events
	r.pubs.Next = next
	r.pubs.Work()
	done, err := r.loop.Run(ctx, limit, func() bool { return r.pubs.Accepted >= goal })
	if err == nil && !done {
		err = fmt.Errorf("%d of %d events were not accepted in %v", goal-r.pubs.Accepted, events, limit)
	}
	return err
}

// publishAll publishes so many events one by one, over all topics in turn.
func (r *trial) publishAll(ctx context.Context, total int) error {
	const connections = 16
	if err := r.pubs.Open(connections); err != nil {
		return err
	}
	begun := 0
	return r.publish(ctx, int64(total), time.Minute, func(q *load.Request) bool {
		if begun == total {
			return false
		}
		q.Topic, q.Due = begun%r.topics.N, load.Now()
		begun++
		return true
	})
}

// cursor is where somebody stands who has seen all that there was, which is nothing.
func (r *trial) cursor(ctx context.Context) (load.Cursor, error) {
	crowd, err := load.NewCrowd(r.loop, target(r.server), r.ledger)
	if err != nil {
		return load.Cursor{}, err
	}
	one := crowd.Add(r.topics.Only(0))
	if err := crowd.Connect(ctx); err != nil {
		return load.Cursor{}, err
	}
	one.Leave()
	return one.Cursor(), nil
}

// finish lets all be answered and received, and checks it.
func (r *trial) finish(ctx context.Context) error {
	if err := r.pubs.Drain(ctx); err != nil {
		return err
	}
	if err := r.others.Settle(ctx, r.patience); err != nil {
		return err
	}
	return r.crowd.Settle(ctx, r.patience)
}

// window is the stretch of time that begins now.
func window(length time.Duration) *load.Window {
	now := load.Now()
	return &load.Window{From: now, Until: now + int64(length)}
}

// A span is what happened in a stretch of time.
type span struct {
	wall      time.Duration
	cpu, load time.Duration // of the server, and of this process
	usage     harness.Usage // at its end
	events    int64         // received
	accepted  int64         // published
}

// measure runs the load for some time, unless it is done before.
func (r *trial) measure(ctx context.Context, d time.Duration, done func() bool) (span, error) {
	before, err := r.server.Usage()
	if err != nil {
		return span{}, err
	}
	s := span{events: -r.crowd.Events, accepted: -r.pubs.Accepted, load: -ownCPU()}
	start := time.Now()
	if _, err := r.loop.Run(ctx, d, done); err != nil {
		return span{}, err
	}
	s.wall = time.Since(start)
	s.load += ownCPU()
	s.events += r.crowd.Events
	s.accepted += r.pubs.Accepted
	if s.usage, err = r.server.Usage(); err != nil {
		return span{}, err
	}
	s.cpu = s.usage.CPU - before.CPU
	return s, nil
}

func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// figures are those of every case.
func (r *trial) figures(s span) Figures {
	return Figures{
		"accepted":  float64(s.accepted) / s.wall.Seconds(),
		"cpu event": s.cpu.Seconds() / float64(max(1, s.accepted)) * 1e6,
		"cpu":       100 * s.cpu.Seconds() / s.wall.Seconds(),
		"load":      100 * s.load.Seconds() / s.wall.Seconds(),
		"rss":       float64(s.usage.RSS) / 1e6,
		"peak":      float64(s.usage.PeakRSS) / 1e6,
	}
}

// latency adds percentiles, in milliseconds.
func (f Figures) latency(name string, h *load.Window) {
	ms := func(d time.Duration) float64 { return d.Seconds() * 1e3 }
	f[name+" p50"], f[name+" p99"], f[name+" max"] = ms(h.At(50)), ms(h.At(99)), ms(h.Max())
}

var (
	cpuColumn  = Column{"cpu", "CPU", percent}
	rssColumn  = Column{"rss", "RSS", megabytes}
	loadColumn = Column{"load", "load's own CPU", percent}
)
