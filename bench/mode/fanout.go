//go:build linux

package mode

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"time"

	"github.com/navehub/nave/bench/load"
	"github.com/navehub/nave/bench/server"
)

var fanoutMode = Mode{
	Name: "fanout",
	Doc:  "clients of one topic, and so many events at a time that not all of them have",
	Flags: func(f *flag.FlagSet) func() ([]Case, error) {
		var base fanout
		numberVar(f, &base.clients, "clients", 1000, mostClients, "subscribers")
		lengthVar(f, &base.length, "for", 5*time.Second, longest, "how long to publish")
		inFlight := numbers{1, 32}
		f.Var(&inFlight, "inflight", "events that are published and not received by all yet")
		return func() (cases []Case, err error) {
			for _, n := range inFlight {
				one := base
				one.inFlight = n
				cases = append(cases, Case{
					Name:    "fanout " + strconv.Itoa(n),
					Servers: baselines,
					Columns: fanoutColumns,
					Run:     one.run,
				})
			}
			return cases, nil
		}
	},
}

var fanoutColumns = []Column{
	{"deliveries", "deliveries/s", count},
	{"cpu million", "CPU a million", seconds},
	{"latency p50", "p50 from sending", milliseconds},
	{"latency p99", "p99", milliseconds},
	cpuColumn, rssColumn, loadColumn,
}

type fanout struct {
	clients, inFlight int
	length            time.Duration

	left []int // deliveries of each event
	now  int   // events in flight
}

func (o fanout) run(ctx context.Context, k *server.Kit, name string) (Figures, error) {
	r, err := begin(ctx, k, name, load.Topics{Prefix: "board/", N: 1}, 0)
	if err != nil {
		return nil, err
	}
	defer r.end()
	for range o.clients {
		r.crowd.Add(r.topics.Only(0))
	}
	if err := r.crowd.Connect(ctx); err != nil {
		return nil, err
	}
	if err := r.pubs.Open(o.inFlight); err != nil {
		return nil, err
	}
	r.pubs.Next = o.next
	r.crowd.Received = func(seq int64) {
		if o.left[seq]--; o.left[seq] == 0 {
			o.now--
			r.pubs.Work()
		}
	}
	r.pubs.Work()
	if err := r.wait(ctx, o.length/10); err != nil { // until it is warm
		return nil, err
	}
	r.crowd.Latency = window(o.length)
	s, err := r.measure(ctx, o.length, nil)
	if err != nil {
		return nil, err
	}
	if err := r.finish(ctx); err != nil {
		return nil, err
	}
	if s.events == 0 {
		return nil, fmt.Errorf("no event was received by all in %v: measure for longer", o.length)
	}
	figures := r.figures(s)
	figures.latency("latency", r.crowd.Latency)
	figures["deliveries"] = float64(s.events) / s.wall.Seconds()
	figures["cpu million"] = s.cpu.Seconds() / float64(s.events) * 1e6
	return figures, nil
}

func (o *fanout) next(r *load.Request) bool {
	if o.now == o.inFlight {
		return false
	}
	o.now++
	o.left = append(o.left, o.clients)
	r.Due = load.Now()
	return true
}
