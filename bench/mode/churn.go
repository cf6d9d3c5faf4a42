//go:build linux

package mode

import (
	"context"
	"flag"
	"time"

	"github.com/navehub/nave/bench/load"
	"github.com/navehub/nave/bench/server"
)

var churnMode = Mode{
	Name: "churn",
	Doc:  "clients that come and go with their cursors, beside some that stay",
	Flags: func(f *flag.FlagSet) func() ([]Case, error) {
		var o churn
		numberVar(f, &o.clients, "clients", 1000, mostClients, "subscribers that stay")
		numberVar(f, &o.visitors, "visitors", 1000, mostClients, "subscribers that come and go; a quarter is away")
		numberVar(f, &o.visits, "visits", 500, mostRate, "how many come in a second, and how many leave")
		numberVar(f, &o.topics, "topics", 100, mostTopics, "topics, each client of one")
		o.load.flags(f, 1000, 64)
		return func() ([]Case, error) {
			return []Case{{Name: "churn", Servers: baselines, Able: keeping, Columns: churnColumns, Run: o.run}}, nil
		}
	},
}

var churnColumns = []Column{
	{"visits", "visits/s", count},
	{"latency p50", "p50 of who stays", milliseconds},
	{"latency p99", "p99", milliseconds},
	{"latency max", "max", milliseconds},
	cpuColumn, {"before", "RSS at the start", megabytes}, {"rss", "at the end", megabytes},
	loadColumn,
}

type churn struct {
	clients, visitors, visits, topics int
	load                              steady

	here, gone []*load.Subscriber // longest first
	came       int
}

func (o churn) run(ctx context.Context, k *server.Kit, name string) (Figures, error) {
	const resume = 20 // seconds of events for those who are away
	r, err := begin(ctx, k, name, load.Topics{Prefix: "board/", N: o.topics}, resume*o.load.rate)
	if err != nil {
		return nil, err
	}
	defer r.end()
	for i := range o.clients {
		r.crowd.Add(r.topics.Only(i % o.topics))
	}
	for i := range o.visitors {
		o.here = append(o.here, r.others.Add(r.topics.Only(i%o.topics)))
	}
	if err := r.crowd.Connect(ctx); err != nil {
		return nil, err
	}
	if err := r.others.Connect(ctx); err != nil {
		return nil, err
	}
	before, err := r.server.Usage()
	if err != nil {
		return nil, err
	}
	for range o.visitors / 4 {
		o.leaves()
	}
	o.load.warm = min(time.Second, o.load.length)
	visits := r.loop.Every(float64(o.visits), func(int64) { o.visit() })
	o.load.stopping = func(ctx context.Context) error {
		visits.Stop()
		return o.everybodyBack(ctx, r)
	}
	figures, err := r.steadily(ctx, o.load)
	if err != nil {
		return nil, err
	}
	figures["before"] = float64(before.RSS) / 1e6
	figures["visits"] = float64(o.came) / (o.load.warm + o.load.length).Seconds()
	return figures, nil
}

// visit lets one leave and one come. Who has not been told yet where it stands
// stays, so that a server that is slow with it has fewer visits.
func (o *churn) visit() {
	if o.here[0].Live() {
		o.leaves()
		o.comes()
	}
}

func (o *churn) leaves() {
	oldest := o.here[0]
	oldest.Leave()
	o.here, o.gone = o.here[1:], append(o.gone, oldest)
}

func (o *churn) comes() {
	oldest := o.gone[0]
	oldest.Return()
	o.gone, o.here = o.gone[1:], append(o.here, oldest)
	o.came++
}

// everybodyBack ends the visits, so that all get what they have missed.
func (o *churn) everybodyBack(ctx context.Context, r *trial) error {
	came := o.came
	for len(o.gone) > 0 {
		o.comes()
	}
	o.came = came
	return r.others.Connect(ctx)
}
