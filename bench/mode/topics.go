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

var topicsMode = Mode{
	Name: "topics",
	Doc:  "the same events over many topics, and over one, with a subscriber for each topic",
	Flags: func(f *flag.FlagSet) func() ([]Case, error) {
		var topics int
		numberVar(f, &topics, "topics", 10000, mostTopics, "topics, beside the case of one")
		var s steady
		s.flags(f, 10000, 64)
		return func() (cases []Case, err error) {
			for _, n := range []int{1, topics} {
				run := func(ctx context.Context, k *server.Kit, name string) (Figures, error) {
					return oneEach(ctx, k, name, n, false, s)
				}
				cases = append(cases, Case{Name: fmt.Sprintf("topics %d", n), Servers: []string{server.Hub}, Columns: latencyColumns, Run: run})
			}
			return cases, nil
		}
	},
}

var wildcardMode = Mode{
	Name: "wildcard",
	Doc:  "clients of one topic each, with and without one more that follows all topics",
	Flags: func(f *flag.FlagSet) func() ([]Case, error) {
		var topics int
		numberVar(f, &topics, "clients", 10000, mostTopics, "subscribers, and topics")
		var s steady
		s.flags(f, 2000, 64)
		return func() (cases []Case, err error) {
			for _, name := range []string{"wildcard without", "wildcard with"} {
				run := func(ctx context.Context, k *server.Kit, server string) (Figures, error) {
					return oneEach(ctx, k, server, topics, name == "wildcard with", s)
				}
				cases = append(cases, Case{Name: name, Servers: []string{server.Hub}, Columns: latencyColumns, Run: run})
			}
			return cases, nil
		}
	},
}

// oneEach has a subscriber for each topic, and maybe one for all.
func oneEach(ctx context.Context, k *server.Kit, name string, topics int, all bool, s steady) (Figures, error) {
	r, err := begin(ctx, k, name, load.Topics{Prefix: "board/", N: topics}, 0)
	if err != nil {
		return nil, err
	}
	defer r.end()
	for i := range topics {
		r.crowd.Add(r.topics.Only(i))
	}
	if all {
		r.others.Add(r.topics.All("**"))
	}
	if err := r.crowd.Connect(ctx); err != nil {
		return nil, err
	}
	if err := r.others.Connect(ctx); err != nil {
		return nil, err
	}
	s.warm = min(2*time.Second, s.length) // of the fewest events that make every topic live
	if once := time.Duration(topics) * time.Second / time.Duration(s.rate); once > s.warm {
		s.warm = once
	}
	return r.steadily(ctx, s)
}
