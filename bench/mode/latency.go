//go:build linux

package mode

import (
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/navehub/nave/bench/load"
	"github.com/navehub/nave/bench/server"
)

var latencyMode = Mode{
	Name: "latency",
	Doc:  "events at a fixed rate, and how long they take; preset reference or thousand, and flags over it",
	Flags: func(f *flag.FlagSet) func() ([]Case, error) {
		presets := texts{"reference", "thousand"}
		f.Var(&presets, "preset", "loads to take the other figures from")
		var own latency
		numberVar(f, &own.clients, "clients", 0, mostClients, "subscribers")
		numberVar(f, &own.topics, "topics", 0, mostTopics, "topics")
		numberVar(f, &own.rate, "rate", 0, mostRate, "events a second")
		numberVar(f, &own.connections, "connections", 0, mostConnections, "publishers")
		lengthVar(f, &own.length, "for", 10*time.Second, longest, "how long to measure")
		return func() (cases []Case, err error) {
			for _, name := range presets {
				o, ok := latencyPresets[name]
				if !ok {
					return nil, fmt.Errorf("there is no preset %q: there are reference and thousand", name)
				}
				set(&o.clients, own.clients)
				set(&o.topics, own.topics)
				set(&o.rate, own.rate)
				set(&o.connections, own.connections)
				o.length = own.length
				cases = append(cases, Case{Name: "latency " + name, Servers: server.Names, Columns: latencyColumns, Run: o.run})
			}
			return cases, nil
		}
	},
}

var latencyPresets = map[string]latency{
	// The application that the hub was made for.
	"reference": {clients: 30, topics: 20, rate: 100, connections: 8, mixed: true, keyed: true},
	"thousand":  {clients: 1000, topics: 100, rate: 1000, connections: 64},
}

func set(to *int, value int) {
	if value > 0 {
		*to = value
	}
}

var latencyColumns = []Column{
	{"accepted", "events/s", count},
	{"latency p50", "p50", milliseconds},
	{"latency p99", "p99", milliseconds},
	{"latency max", "max", milliseconds},
	{"ack p50", "answer p50", milliseconds},
	{"ack p99", "answer p99", milliseconds},
	{"cpu event", "CPU an event", microseconds}, cpuColumn, rssColumn,
	{"late p99", "sent late p99", milliseconds}, loadColumn,
}

type latency struct {
	clients, topics, rate, connections int
	// mixed is a third that follow board/**, a third board/*, and a third five
	// topics; else everybody follows one.
	mixed, keyed bool
	length       time.Duration
}

func (o latency) run(ctx context.Context, k *server.Kit, name string) (Figures, error) {
	r, err := begin(ctx, k, name, load.Topics{Prefix: "board/", N: o.topics}, 0)
	if err != nil {
		return nil, err
	}
	defer r.end()
	for i := range o.clients {
		r.crowd.Add(o.follow(r.topics, i))
	}
	if err := r.crowd.Connect(ctx); err != nil {
		return nil, err
	}
	r.pubs.Keyed = o.keyed
	return r.steadily(ctx, steady{rate: o.rate, connections: o.connections, warm: min(time.Second, o.length), length: o.length})
}

func (o latency) follow(t load.Topics, i int) load.Follow {
	switch {
	case !o.mixed:
		return t.Only(i % t.N)
	case i%3 == 0:
		return t.All("board/**")
	case i%3 == 1:
		return t.All("board/*")
	}
	some := make([]int, min(5, t.N))
	for k := range some {
		some[k] = (i + k*t.N/len(some)) % t.N
	}
	return t.Only(some...)
}
