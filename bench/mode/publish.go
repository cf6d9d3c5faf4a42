//go:build linux

package mode

import (
	"context"
	"flag"
	"time"

	"github.com/navehub/nave/bench/load"
	"github.com/navehub/nave/bench/server"
)

var publishMode = Mode{
	Name: "publish",
	Doc:  "connections that publish as fast as they are answered: single events, arrays, and lines",
	Flags: func(f *flag.FlagSet) func() []Case {
		var base publish
		f.IntVar(&base.connections, "connections", 16, "publishers")
		f.IntVar(&base.topics, "topics", 1000, "topics, in turn")
		f.DurationVar(&base.length, "for", 5*time.Second, "how long to publish")
		array := f.Int("array", 100, "events in an array")
		window := f.Int("window", 64, "lines of a connection that are not answered yet")
		return func() []Case {
			arrays, lines := base, base
			arrays.array, lines.window = *array, *window
			hubs := []string{server.Hub, server.Memory, server.Transient}
			return []Case{
				{"publish one", append([]string{server.Raw}, durability...), publishColumns, base.run},
				{"publish array", hubs, publishColumns, arrays.run},
				{"publish lines", hubs, publishColumns, lines.run},
			}
		}
	},
}

var publishColumns = []Column{
	{"accepted", "events/s", count},
	{"cpu event", "CPU an event", microseconds},
	{"ack p50", "answer p50", milliseconds},
	{"ack p99", "answer p99", milliseconds},
	cpuColumn, rssColumn, loadColumn,
}

type publish struct {
	connections, topics int
	array, window       int // one of them, or none
	length              time.Duration
}

func (o publish) run(ctx context.Context, k *server.Kit, name string) (Figures, error) {
	r, err := begin(ctx, k, name, load.Topics{Prefix: "board/", N: o.topics}, 0)
	if err != nil {
		return nil, err
	}
	defer r.end()
	beginning, err := r.cursor(ctx)
	if err != nil {
		return nil, err
	}
	if o.window > 0 {
		err = r.pubs.OpenLines(o.connections, o.window)
	} else {
		err = r.pubs.Open(o.connections)
	}
	if err != nil {
		return nil, err
	}
	next := 0
	r.pubs.Next = func(q *load.Request) bool {
		q.Topic, q.Events, q.Due = next%o.topics, o.array, load.Now()
		next++
		return true
	}
	r.pubs.Work()
	if err := r.wait(ctx, o.length/5); err != nil { // until every topic is live
		return nil, err
	}
	r.pubs.Acks = window(o.length)
	s, err := r.measure(ctx, o.length, nil)
	if err != nil {
		return nil, err
	}
	if err := r.pubs.Drain(ctx); err != nil {
		return nil, err
	}
	figures := r.figures(s)
	figures.latency("ack", r.pubs.Acks)
	return figures, o.check(ctx, r, beginning)
}
