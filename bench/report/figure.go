//go:build linux

package report

import (
	"math"
	"slices"

	"github.com/navehub/nave/bench/mode"
	"github.com/navehub/nave/bench/server"
)

// A figure is what was measured: a median, and what each round had, to be held
// against another figure of the same round.
type figure struct {
	median float64   // NaN if there is none
	each   []float64 // by round, NaN where it failed; empty for what nobody measures
	failed bool      // a round of it did, or all
}

// at is what the round had.
func (f figure) at(round int) float64 {
	switch {
	case len(f.each) == 0:
		return f.median
	case round < len(f.each):
		return f.each[round]
	}
	return math.NaN()
}

// measured are the rounds that did not fail, the least first.
func (f figure) measured() []float64 {
	all := slices.DeleteFunc(slices.Clone(f.each), math.IsNaN)
	slices.Sort(all)
	return all
}

// A measure takes a figure from the results.
type measure func(r *results) figure

// of is a figure as it is.
func of(name, server, key string) measure {
	return func(r *results) figure {
		f := figure{median: math.NaN(), failed: true}
		s := r.byCase[name]
		if s == nil {
			return f
		}
		for _, figures := range s.Rounds[server] {
			v, ok := figures[key]
			if !ok {
				v = math.NaN()
			}
			f.each = append(f.each, v)
		}
		if all := f.measured(); len(all) > 0 {
			f.median, f.failed = mode.Median(all), len(all) < len(f.each)
		}
		return f
	}
}

// combine makes one figure of others: of their medians, and of each round of theirs.
func combine(do func(x []float64) float64, all ...figure) (sum figure) {
	rounds := 0
	medians := make([]float64, len(all))
	for i, f := range all {
		medians[i] = f.median
		rounds = max(rounds, len(f.each))
		sum.failed = sum.failed || f.failed
	}
	sum.median = do(medians)
	for round := range rounds {
		x := make([]float64, len(all))
		for i, f := range all {
			x[i] = f.at(round)
		}
		sum.each = append(sum.each, do(x))
	}
	return sum
}

// ratio is that of the hub's figure to another's.
func ratio(name, otherName, other, key string) measure {
	return func(r *results) figure {
		return combine(func(x []float64) float64 { return x[0] / x[1] }, of(name, server.Hub, key)(r), of(otherName, other, key)(r))
	}
}

func toRaw(name, key string) measure { return ratio(name, name, server.Raw, key) }

func toNaive(name, key string) measure { return ratio(name, name, server.Naive, key) }

// fixed is a limit that nobody measures.
func fixed(x float64) measure { return func(*results) figure { return figure{median: x} } }

// around is so many times a figure, and so many syncs of the disk more.
func around(value measure, times, syncs float64) measure {
	return func(r *results) figure {
		return combine(func(x []float64) float64 { return times*x[0] + syncs*r.sync }, value(r))
	}
}

// withDeliveries is so many times the CPU without a client of all topics and with
// its deliveries, which go out one at a time.
func withDeliveries(times float64) measure {
	return func(r *results) figure {
		return combine(func(x []float64) float64 {
			before, rate, million := x[0], x[1], x[2]
			return times * (before + 100*rate*million/1e6)
		},
			of("wildcard without", server.Hub, "cpu")(r),
			of("wildcard with", server.Hub, "accepted")(r),
			of("fanout 1", server.Hub, "cpu million")(r))
	}
}
