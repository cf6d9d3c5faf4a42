//go:build linux

package report

import (
	"slices"

	"github.com/navehub/nave/bench/mode"
	"github.com/navehub/nave/bench/server"
)

// A figure is what was measured: a median, and from what to what it was.
type figure struct {
	median, least, most float64
	rounds              int
	failed              bool // a round of it did
}

// A measure takes a figure from the results.
type measure func(r *results) figure

// of is a figure as it is.
func of(name, server, key string) measure {
	return func(r *results) figure {
		s := r.byCase[name]
		if s == nil {
			return figure{}
		}
		all := s.Values(server, key)
		f := spread(all)
		f.failed = len(all) < len(s.Rounds[server])
		return f
	}
}

func spread(all []float64) figure {
	if len(all) == 0 {
		return figure{}
	}
	median := mode.Median(all) // and sorts them
	return figure{median: median, least: all[0], most: all[len(all)-1], rounds: len(all)}
}

// ratio is that of the hub's median to another's. Its spread is that of the ratios
// of the rounds, in which the two were measured one after the other.
func ratio(name, otherName, other, key string) measure {
	return func(r *results) figure {
		x, y := of(name, server.Hub, key)(r), of(otherName, other, key)(r)
		f := figure{failed: x.failed || y.failed}
		if x.rounds == 0 || y.rounds == 0 {
			return f
		}
		f.median, f.rounds = x.median/y.median, min(x.rounds, y.rounds)
		f.least, f.most = f.median, f.median
		xs, ys := r.byCase[name].Rounds[server.Hub], r.byCase[otherName].Rounds[other]
		for i := range min(len(xs), len(ys)) {
			if a, b := xs[i][key], ys[i][key]; a > 0 && b > 0 {
				f.least, f.most = min(f.least, a/b), max(f.most, a/b)
			}
		}
		return f
	}
}

func toRaw(name, key string) measure { return ratio(name, name, server.Raw, key) }

func toNaive(name, key string) measure { return ratio(name, name, server.Naive, key) }

// fixed is a limit that nobody measures.
func fixed(x float64) measure { return func(*results) figure { return figure{median: x, rounds: 1} } }

// around is so many times the median of a figure, and so many syncs of the disk more.
func around(value measure, times, syncs float64) measure {
	return func(r *results) figure {
		f := value(r)
		f.median = times*f.median + syncs*r.sync
		return f
	}
}

// withDeliveries is so many times the CPU without a client of all topics and with
// its deliveries, which go out one at a time.
func withDeliveries(times float64) measure {
	return func(r *results) figure {
		before := of("wildcard without", server.Hub, "cpu")(r)
		rate := of("wildcard with", server.Hub, "accepted")(r)
		million := of("fanout 1", server.Hub, "cpu million")(r)
		return figure{
			median: times * (before.median + 100*rate.median*million.median/1e6),
			rounds: slices.Min([]int{before.rounds, rate.rounds, million.rounds}),
			failed: before.failed || rate.failed || million.failed,
		}
	}
}
