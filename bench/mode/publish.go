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

var publishMode = Mode{
	Name: "publish",
	Doc:  "connections that publish as fast as they are answered: single events, arrays, and lines",
	Flags: func(f *flag.FlagSet) func() ([]Case, error) {
		const (
			mostLength = 10 * time.Second // or the log would let go of what is read back
			mostArray  = 500              // or it would not fit a client's mailbox
		)
		var one publish
		var array, window int
		numberVar(f, &one.connections, "connections", 16, mostConnections, "publishers")
		numberVar(f, &one.topics, "topics", 1000, mostTopics, "topics, in turn")
		lengthVar(f, &one.length, "for", 5*time.Second, mostLength, "how long to publish")
		numberVar(f, &array, "array", 100, mostArray, "events in an array")
		numberVar(f, &window, "window", 64, mostConnections, "lines of a connection that are not answered yet")
		return func() ([]Case, error) {
			if total := one.topics * array; total > mostEvents {
				return nil, fmt.Errorf("%d topics with an array of %d each are %d events: it must be %d at most", one.topics, array, total, mostEvents)
			}
			arrays, lines := one, one
			arrays.array, lines.window = array, window
			return []Case{
				{Name: "publish one", Servers: server.Names, Columns: publishColumns, Run: one.run},
				{Name: "publish array", Servers: batching, Able: batching, Columns: publishColumns, Run: arrays.run},
				{Name: "publish lines", Servers: batching, Able: batching, Columns: publishColumns, Run: lines.run},
			}, nil
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
	live := int64(o.topics * max(1, o.array)) // when as many are accepted, nearly every topic is
	err = r.publish(ctx, live, 5*time.Minute, func(q *load.Request) bool {
		q.Topic, q.Events, q.Due = next%o.topics, o.array, load.Now()
		next++
		return true
	})
	if err != nil {
		return nil, err
	}
	if err := r.wait(ctx, o.length/5); err != nil { // it goes on meanwhile
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
	if err := o.check(ctx, r, beginning); err != nil {
		return nil, err
	}
	if s.accepted == 0 {
		return nil, fmt.Errorf("nothing was accepted in %v: measure for longer", o.length)
	}
	figures := r.figures(s)
	figures.latency("ack", r.pubs.Acks)
	return figures, nil
}
