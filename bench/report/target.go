//go:build linux

package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/navehub/nave/bench/mode"
	"github.com/navehub/nave/bench/server"
)

// A target is what a figure is to be. It is held against the median.
type target struct {
	what  string
	value func(r *results) []float64 // one for each round
	// The limits: the aim, and what it must be at least. Some depend on what was
	// measured.
	aim, least limit
	above      bool // the more the better
	unit       string
	digits     int
}

// A limit may be had or not, as what it depends on.
type limit func(r *results) (float64, bool)

func fixed(x float64) limit { return func(*results) (float64, bool) { return x, true } }

// of is a figure as it is.
func of(name, server, key string) func(*results) []float64 {
	return func(r *results) []float64 { return measured(r.rounds(name, server, key)) }
}

// measured leaves out the rounds that failed.
func measured(rounds []float64) []float64 { return slices.DeleteFunc(rounds, math.IsNaN) }

// ratio is that of the hub's figure to another's in each round.
func ratio(name, otherName, other, key string) func(*results) []float64 {
	return func(r *results) (all []float64) {
		x, y := r.rounds(name, server.Hub, key), r.rounds(otherName, other, key)
		for i := range min(len(x), len(y)) {
			all = append(all, x[i]/y[i])
		}
		return measured(all)
	}
}

// around is so many times the median of a figure, and so much more.
func around(value func(*results) []float64, times, more float64) limit {
	return func(r *results) (float64, bool) {
		all := value(r)
		if len(all) == 0 {
			return 0, false
		}
		return times*mode.Median(slices.Clone(all)) + more, true
	}
}

// most is the most that was measured.
func most(value func(*results) []float64) limit {
	return func(r *results) (float64, bool) {
		all := value(r)
		if len(all) == 0 {
			return 0, false
		}
		return slices.Max(all), true
	}
}

const (
	fsync       = 0.25 // milliseconds that one takes, about
	groupCommit = 0.5
)

var (
	naiveReference = of("latency reference", server.Naive, "latency p99")
	naiveThousand  = of("latency thousand", server.Naive, "latency p99")
	without        = of("wildcard without", server.Hub, "latency p99")
)

var targets = []target{
	{what: "Memory of an idle connection", value: of("idle", server.Hub, "connection"), aim: fixed(4), least: fixed(6), unit: " KB", digits: 2},
	{what: "CPU a delivery, one event at a time to 1,000, to raw's", value: toRaw("fanout 1", "cpu million"), aim: fixed(1.15), least: fixed(1.4), unit: "×", digits: 2},
	{what: "Deliveries a second, 32 events in flight to 1,000, to raw's", value: toRaw("fanout 32", "deliveries"), aim: fixed(0.8), least: fixed(0.5), above: true, unit: "×", digits: 2},
	{what: "1,000 return, 100 missed each: events a second, to raw's", value: toRaw("reconnect 1000×100", "events"), aim: fixed(0.7), least: fixed(0.4), above: true, unit: "×", digits: 2},
	{what: "10,000 return, 20 missed each, of 100 topics: time, to raw's", value: toRaw("reconnect 10000×20", "time"), aim: fixed(3), least: fixed(3), unit: "×", digits: 2},
	{what: "p99 of 30 clients at 100 events/s, memory: naive's; twice", value: of("latency reference", server.Memory, "latency p99"),
		aim: around(naiveReference, 1, 0), least: around(naiveReference, 2, 0), unit: " ms", digits: 2},
	{what: "p99 of 30 clients at 100 events/s, durable: naive's and a sync; twice", value: of("latency reference", server.Hub, "latency p99"),
		aim: around(naiveReference, 1, fsync), least: around(naiveReference, 2, 2*fsync), unit: " ms", digits: 2},
	{what: "Durable events a second, one a request, 16 connections, to naive's", value: toNaive("publish one", "accepted"), aim: fixed(0.7), least: fixed(0.5), above: true, unit: "×", digits: 2},
	{what: "Durable events a second by arrays of 100", value: of("publish array", server.Hub, "accepted"), aim: fixed(100_000), least: fixed(60_000), above: true, unit: "/s"},
	{what: "Durable events a second by lines", value: of("publish lines", server.Hub, "accepted"), aim: fixed(100_000), least: fixed(60_000), above: true, unit: "/s"},
	{what: "p99 of 1,000 clients at 1,000 events/s, durable: naive's and a group commit; 5 ms", value: of("latency thousand", server.Hub, "latency p99"),
		aim: around(naiveThousand, 1, groupCommit), least: fixed(5), unit: " ms", digits: 2},
	{what: "Memory at 30 clients and 100 events/s", value: of("latency reference", server.Hub, "rss"), aim: fixed(25), least: fixed(40), unit: " MB", digits: 1},
	{what: "CPU at 30 clients and 100 events/s", value: of("latency reference", server.Hub, "cpu"), aim: fixed(3), least: fixed(5), unit: " %", digits: 1},
	{what: "CPU an event over 10,000 topics, to that over one", value: ratio("topics 10000", "topics 1", server.Hub, "cpu event"),
		aim: fixed(1.5), least: fixed(2), unit: "×", digits: 2},
	{what: "p99 beside a client of `**`: within what it is without", value: of("wildcard with", server.Hub, "latency p99"),
		aim: most(without), least: most(without), unit: " ms", digits: 2},
	{what: "CPU beside a client of `**`: what it is without, and that client's deliveries", value: of("wildcard with", server.Hub, "cpu"),
		aim: withDeliveries, least: withDeliveries, unit: " %", digits: 1},
	{what: "Start with 1,000,000 events in the log", value: of("start 1000000", server.Hub, "ready"), aim: fixed(300), least: fixed(300), unit: " ms"},
}

func toRaw(name, key string) func(*results) []float64 { return ratio(name, name, server.Raw, key) }

func toNaive(name, key string) func(*results) []float64 { return ratio(name, name, server.Naive, key) }

// withDeliveries is the most CPU without a client of all topics, and what its
// deliveries cost when they go out one at a time.
func withDeliveries(r *results) (float64, bool) {
	before, ok := most(of("wildcard without", server.Hub, "cpu"))(r)
	rate, ok2 := around(of("wildcard with", server.Hub, "accepted"), 1, 0)(r)
	million, ok3 := around(of("fanout 1", server.Hub, "cpu million"), 1, 0)(r)
	return before + 100*rate*million/1e6, ok && ok2 && ok3
}

// judge is the table of targets.
func (r *results) judge() string {
	rows := [][]string{{"", "aim", "at least", "measured", "verdict"}}
	for _, t := range targets {
		rows = append(rows, t.row(r))
	}
	return mode.Markdown(rows)
}

func (t target) row(r *results) []string {
	aim, ok := t.aim(r)
	least, ok2 := t.least(r)
	values := t.value(r)
	if len(values) == 0 || !ok || !ok2 {
		return []string{t.what, "", "", "–", "not measured"}
	}
	median := mode.Median(values) // and sorts them
	found := t.write(median)
	if len(values) > 1 {
		found += fmt.Sprintf(" (%s–%s)", t.number(values[0]), t.number(values[len(values)-1]))
	}
	verdict := "**not met**"
	switch {
	case t.reaches(median, aim):
		verdict = "met"
	case t.reaches(median, least):
		verdict = "at least"
	}
	return []string{t.what, t.write(aim), t.write(least), found, verdict}
}

func (t target) reaches(x, limit float64) bool {
	if t.above {
		return x >= limit
	}
	return x <= limit
}

func (t target) number(x float64) string {
	if t.digits == 0 {
		return mode.Grouped(x)
	}
	return strconv.FormatFloat(x, 'f', t.digits, 64)
}

func (t target) write(x float64) string { return t.number(x) + t.unit }
