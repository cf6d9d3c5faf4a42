//go:build linux

package mode

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/navehub/nave/bench/load"
	"github.com/navehub/nave/bench/server"
)

var reconnectMode = Mode{
	Name: "reconnect",
	Doc:  "clients that all return at once with a cursor, until each has all that it missed",
	Flags: func(f *flag.FlagSet) func() ([]Case, error) {
		restart := f.Bool("restart", false, "restart the hub before they return, so that it reads from disk; they return once then")
		var own reconnect
		numberVar(f, &own.times, "times", 0, 10_000, "how many times they return, with the same cursor; by default 1,000 clients 100 times, and others 5 times")
		numberVar(f, &own.clients, "clients", 0, mostClients, "subscribers, instead of 1,000 of one topic and 10,000 of 100")
		numberVar(f, &own.topics, "topics", 1, mostTopics, "topics, each client of one; goes with -clients")
		numberVar(f, &own.missed, "missed", 100, mostEvents, "events of each topic that were missed; goes with -clients")
		return func() (cases []Case, err error) {
			loads := []reconnect{{clients: 1000, topics: 1, missed: 100}, {clients: 10000, topics: 100, missed: 20}}
			switch {
			case own.clients > 0:
				loads = []reconnect{own}
			case given(f, "topics", "missed"):
				return nil, errors.New("-topics and -missed go with -clients, and without it change nothing")
			}
			if total := own.topics * own.missed; total > mostEvents {
				return nil, fmt.Errorf("%d topics with %d missed events are %d: it must be %d at most", own.topics, own.missed, total, mostEvents)
			}
			if *restart && own.times > 1 {
				return nil, errors.New("-times goes without -restart: what was read from disk once is in memory then")
			}
			for _, o := range loads {
				o.times, o.restart = own.times, *restart
				cases = append(cases, o.asCase())
			}
			return cases, nil
		}
	},
}

func (o reconnect) asCase() Case {
	c := Case{Name: fmt.Sprintf("reconnect %d×%d", o.clients, o.missed), Servers: baselines, Able: keeping, Columns: reconnectColumns}
	switch {
	case o.restart:
		o.times = 1
		c.Name, c.Servers, c.Able = c.Name+" restarted", durable, durable
	case o.times == 0:
		o.times = 5
		if o.clients <= 1000 { // raw has each time over in 20 ms
			o.times = 100
		}
	}
	c.Run = o.run
	return c
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
func (r *trial) comeBack(ctx context.Context, o reconnect, cursor load.Cursor) (s span, err error) {
	if r.crowd, err = load.NewCrowd(r.loop, target(r.server), r.ledger); err != nil {
		return s, err
	}
	defer r.crowd.Leave()
	for i := range o.clients {
		r.crowd.AddFrom(r.topics.Only(i%o.topics), cursor)
	}
	quiet := 50*time.Millisecond + time.Duration(o.clients)*25*time.Microsecond // the server forgets those that left before
	if err := r.wait(ctx, quiet); err != nil {
		return s, err
	}
	goal := r.crowd.Missing()
	r.crowd.Come()
	if s, err = r.measure(ctx, 3*r.patience, func() bool { return r.crowd.Events >= goal }); err != nil {
		return s, err
	}
	return s, r.finish(ctx)
}
