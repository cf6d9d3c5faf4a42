//go:build linux

package mode

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/navehub/nave/bench/load"
)

// steady is events at a fixed rate, whatever the server does, over all topics in turn.
type steady struct {
	rate         int // events a second
	connections  int
	warm, length time.Duration
	// stopping, if set, is called when no more events become due.
	stopping func(context.Context) error

	trial   *trial
	next    int            // topic
	pending []load.Request // due, and without a connection yet
	plan    *load.Plan
}

func (o *steady) flags(f *flag.FlagSet, rate, connections int) {
	numberVar(f, &o.rate, "rate", rate, mostRate, "events a second")
	numberVar(f, &o.connections, "connections", connections, mostConnections, "publishers")
	lengthVar(f, &o.length, "for", 10*time.Second, longest, "how long to measure")
}

// steadily publishes and, once it is warm, measures latencies: of all that becomes
// due from then on for some time, also of what is under way at the end of it.
func (r *trial) steadily(ctx context.Context, o steady) (Figures, error) {
	if err := o.begin(r); err != nil {
		return nil, err
	}
	if err := r.wait(ctx, o.warm); err != nil {
		return nil, err
	}
	r.crowd.Latency, r.pubs.Acks, r.pubs.Late = window(o.length), window(o.length), window(o.length)
	s, err := r.measure(ctx, o.length, nil)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(o.kept(s), o.end(ctx)); err != nil {
		return nil, err
	}
	figures := r.figures(s)
	figures.latency("latency", r.crowd.Latency)
	figures.latency("ack", r.pubs.Acks)
	figures.latency("late", r.pubs.Late)
	return figures, nil
}

// kept is an error if the server had less than the load that the figures are of.
func (o *steady) kept(s span) error {
	const share = 0.97
	const long = time.Second // in less, one hiccup of the machine is as much
	rate := float64(s.accepted) / s.wall.Seconds()
	if s.wall < long || rate >= share*float64(o.rate) {
		return nil
	}
	return fmt.Errorf("%.0f events a second were accepted and %d were due: it is more than this server takes, or this machine", rate, o.rate)
}

func (o *steady) begin(r *trial) error {
	o.trial = r
	if err := r.pubs.Open(o.connections); err != nil {
		return err
	}
	r.pubs.Next = o.take
	o.plan = r.loop.Every(float64(o.rate), o.due)
	return nil
}

func (o *steady) due(due int64) {
	o.pending = append(o.pending, load.Request{Topic: o.next % o.trial.topics.N, Due: due})
	o.next++
	o.trial.pubs.Work()
}

func (o *steady) take(r *load.Request) bool {
	if len(o.pending) == 0 {
		return false
	}
	*r = o.pending[0]
	o.pending = o.pending[1:]
	return true
}

// end lets no more become due, and all that was be published and received.
func (o *steady) end(ctx context.Context) error {
	o.plan.Stop()
	if o.stopping != nil {
		if err := o.stopping(ctx); err != nil {
			return err
		}
	}
	r := o.trial
	const limit = 20 * time.Second
	settled := func() bool { return len(o.pending) == 0 && r.pubs.Unanswered() == 0 }
	done, err := r.loop.Run(ctx, limit, settled)
	if err == nil && !done {
		err = fmt.Errorf("%d events that were due are not published after %v", len(o.pending)+r.pubs.Unanswered(), limit)
	}
	if err != nil {
		return err
	}
	return r.finish(ctx)
}
