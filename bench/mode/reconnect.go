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

var reconnectMode = Mode{
	Name: "reconnect",
	Doc:  "clients that all return at once with a cursor, until each has all that it missed",
	Flags: func(f *flag.FlagSet) func() []Case {
		restart := f.Bool("restart", false, "restart the hub before they return, so that it reads from disk")
		clients := f.Int("clients", 0, "subscribers, instead of 1,000 of one topic and 10,000 of 100")
		topics := f.Int("topics", 1, "topics, each client of one")
		times := f.Int("times", 5, "how many times they return, with the same cursor; once after a restart")
		missed := f.Int("missed", 100, "events of each topic that were missed")
		return func() (cases []Case) {
			loads := []reconnect{{clients: 1000, topics: 1, missed: 100}, {clients: 10000, topics: 100, missed: 20}}
			if *clients > 0 {
				loads = []reconnect{{clients: *clients, topics: *topics, missed: *missed}}
			}
			for _, o := range loads {
				o.restart, o.times = *restart, *times
				c := Case{fmt.Sprintf("reconnect %d×%d", o.clients, o.missed), baselines, reconnectColumns, nil}
				if o.restart {
					o.times = 1
					c.Name, c.Servers = c.Name+" restarted", []string{server.Hub}
				}
				c.Run = o.run
				cases = append(cases, c)
			}
			return cases
		}
	},
}

var reconnectColumns = []Column{
	{"time", "until all have all", seconds},
	{"events", "events/s", count},
	{"cpu million", "CPU a million", seconds},
	cpuColumn, rssColumn, {"peak", "peak", megabytes}, loadColumn,
}

type reconnect struct {
	clients, topics, missed int
	times                   int
	restart                 bool
}

func (o reconnect) run(ctx context.Context, k *server.Kit, name string) (Figures, error) {
	total := o.topics * o.missed
	r, err := begin(ctx, k, name, load.Topics{Prefix: "board/", N: o.topics}, total)
	if err != nil {
		return nil, err
	}
	defer r.end()
	cursor, err := r.cursor(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.publishAll(ctx, total); err != nil {
		return nil, err
	}
	if o.restart {
		r.pubs.Close()
		if err := r.server.Restart(ctx); err != nil {
			return nil, err
		}
	}
	var sum span
	for range o.times {
		s, err := r.comeBack(ctx, o, cursor)
		if err != nil {
			return nil, err
		}
		sum.wall, sum.cpu, sum.load, sum.usage = sum.wall+s.wall, sum.cpu+s.cpu, sum.load+s.load, s.usage
		sum.events += s.events
	}
	figures := r.figures(sum)
	figures["time"] = sum.wall.Seconds() / float64(o.times)
	figures["events"] = float64(sum.events) / sum.wall.Seconds()
	figures["cpu million"] = sum.cpu.Seconds() / float64(sum.events) * 1e6
	return figures, nil
}

// comeBack lets a new crowd come with the cursor, and leave when it has all.
func (r *run) comeBack(ctx context.Context, o reconnect, cursor load.Cursor) (s span, err error) {
	if r.crowd, err = load.NewCrowd(r.loop, r.server.Addr, r.ledger); err != nil {
		return s, err
	}
	defer r.crowd.Leave()
	for i := range o.clients {
		r.crowd.AddFrom(r.topics.Only(i%o.topics), cursor)
	}
	const quiet = 300 * time.Millisecond // the server forgets those that left before
	if err := r.wait(ctx, quiet); err != nil {
		return s, err
	}
	goal := r.crowd.Missing()
	r.crowd.Come()
	if s, err = r.measure(ctx, time.Minute, func() bool { return r.crowd.Events >= goal }); err != nil {
		return s, err
	}
	return s, r.finish(ctx)
}
