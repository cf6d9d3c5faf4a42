//go:build linux

package report

import (
	"fmt"
	"math"
	"strconv"

	"github.com/navehub/nave/bench/mode"
	"github.com/navehub/nave/bench/server"
)

// A target is what a figure is to be: the aim, and what it must be at least. Some
// of these limits depend on what was measured. What has none is told, not judged.
type target struct {
	what       string
	value      measure
	aim, least measure
	above      bool // the more the better
	unit       string
	digits     int
}

// groupCommit is how many syncs of the disk one waits for, if another has just begun.
const groupCommit = 2

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
	{what: "of that, from the disk, just after a restart", value: ratio("reconnect 1000×100 restarted", "reconnect 1000×100", server.Raw, "events"), unit: "×", digits: 2},
	{what: "10,000 return, 20 missed each, of 100 topics: time, to raw's", value: toRaw("reconnect 10000×20", "time"), aim: fixed(3), least: fixed(3), unit: "×", digits: 2},
	{what: "p99 of 30 clients at 100 events/s, memory: naive's; twice", value: of("latency reference", server.Memory, "latency p99"),
		aim: around(naiveReference, 1, 0), least: around(naiveReference, 2, 0), unit: " ms", digits: 2},
	{what: "p99 of 30 clients at 100 events/s, durable: naive's and a sync; twice", value: of("latency reference", server.Hub, "latency p99"),
		aim: around(naiveReference, 1, 1), least: around(naiveReference, 2, 2), unit: " ms", digits: 2},
	{what: "Durable events a second, one a request, 16 connections, to naive's", value: toNaive("publish one", "accepted"), aim: fixed(0.7), least: fixed(0.5), above: true, unit: "×", digits: 2},
	{what: "Durable events a second by arrays of 100", value: of("publish array", server.Hub, "accepted"), aim: fixed(100_000), least: fixed(60_000), above: true, unit: "/s"},
	{what: "Durable events a second by lines", value: of("publish lines", server.Hub, "accepted"), aim: fixed(100_000), least: fixed(60_000), above: true, unit: "/s"},
	{what: "p99 of 1,000 clients at 1,000 events/s, durable: naive's and a group commit; 5 ms", value: of("latency thousand", server.Hub, "latency p99"),
		aim: around(naiveThousand, 1, groupCommit), least: fixed(5), unit: " ms", digits: 2},
	{what: "Memory at 30 clients and 100 events/s", value: of("latency reference", server.Hub, "rss"), aim: fixed(25), least: fixed(40), unit: " MB", digits: 1},
	{what: "CPU at 30 clients and 100 events/s", value: of("latency reference", server.Hub, "cpu"), aim: fixed(3), least: fixed(5), unit: " %", digits: 1},
	{what: "CPU an event over 10,000 topics, to that over one", value: ratio("topics 10000", "topics 1", server.Hub, "cpu event"),
		aim: fixed(1.5), least: fixed(2), unit: "×", digits: 2},
	{what: "p99 over 10,000 topics, to that over one, beside it", value: ratio("topics 10000", "topics 1", server.Hub, "latency p99"), unit: "×", digits: 2},
	{what: "of that, sent late", value: of("topics 10000", server.Hub, "late p99"), unit: " ms", digits: 2},
	{what: "p99 beside a client of `**`: what it is without; a tenth more", value: of("wildcard with", server.Hub, "latency p99"),
		aim: around(without, 1, 0), least: around(without, 1.1, 0), unit: " ms", digits: 2},
	{what: "CPU beside a client of `**`: what it is without, and that client's deliveries; a tenth more", value: of("wildcard with", server.Hub, "cpu"),
		aim: withDeliveries(1), least: withDeliveries(1.1), unit: " %", digits: 1},
	{what: "Start with 1,000,000 events in the log", value: of("start 1000000", server.Hub, "ready"), aim: fixed(300), least: fixed(300), unit: " ms"},
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
	value := t.value(r)
	found := "–"
	if all := value.measured(); len(all) > 0 {
		found = t.write(value.median)
		if len(all) > 1 {
			found += fmt.Sprintf(" (%s–%s)", t.number(all[0]), t.number(all[len(all)-1]))
		}
	}
	if t.aim == nil {
		return []string{t.what, "", "", found, t.told(value)}
	}
	aim, least := t.aim(r), t.least(r)
	if math.IsNaN(aim.median) || math.IsNaN(least.median) {
		return []string{t.what, "", "", found, failed}
	}
	return []string{t.what, t.write(aim.median), t.write(least.median), found, t.verdict(value, aim, least)}
}

const failed = "**failed**"

// told is the verdict on what has no limits.
func (t target) told(value figure) string {
	if value.failed {
		return failed
	}
	return "–"
}

// verdict is of the medians. One round that failed is enough to fail.
func (t target) verdict(value, aim, least figure) string {
	verdict, sure := "", false
	switch {
	case value.failed || aim.failed || least.failed:
		return failed
	case t.reaches(value.median, aim.median):
		verdict, sure = "met", t.inAll(value, aim, true)
	case t.reaches(value.median, least.median):
		verdict, sure = "at least", t.inAll(value, least, true)
	default:
		verdict, sure = "**not met**", t.inAll(value, least, false)
	}
	if !sure {
		verdict += ", within the noise"
	}
	return verdict
}

// inAll reports whether every round reached the limit of that round, or none did.
func (t target) inAll(value, limit figure, reached bool) bool {
	for round, x := range value.each {
		if t.reaches(x, limit.at(round)) != reached {
			return false
		}
	}
	return true
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
