//go:build linux

package report

import (
	"strings"
	"testing"

	"github.com/navehub/nave/bench/mode"
	"github.com/navehub/nave/bench/server"
)

// limits are those that targets have, of what results hold below.
const limits = `
Memory of an idle connection: 4.00 KB, 6.00 KB
CPU a delivery, one event at a time to 1,000, to raw's: 1.15×, 1.40×
Deliveries a second, 32 events in flight to 1,000, to raw's: 0.80×, 0.50×
1,000 return, 100 missed each: events a second, to raw's: 0.70×, 0.40×
of that, from the disk, just after a restart: , 
10,000 return, 20 missed each, of 100 topics: time, to raw's: 3.00×, 3.00×
p99 of 30 clients at 100 events/s, memory: naive's; twice: 2.00 ms, 4.00 ms
p99 of 30 clients at 100 events/s, durable: naive's and a sync; twice: 2.25 ms, 4.50 ms
Durable events a second, one a request, 16 connections, to naive's: 0.70×, 0.50×
Durable events a second by arrays of 100: 100,000/s, 60,000/s
Durable events a second by lines: 100,000/s, 60,000/s
p99 of 1,000 clients at 1,000 events/s, durable: naive's and a group commit; 5 ms: 3.50 ms, 5.00 ms
Memory at 30 clients and 100 events/s: 25.0 MB, 40.0 MB
CPU at 30 clients and 100 events/s: 3.0 %, 5.0 %
CPU an event over 10,000 topics, to that over one: 1.50×, 2.00×
p99 over 10,000 topics, to that over one, beside it: , 
of that, sent late: , 
p99 beside a client of ` + "`**`" + `: what it is without; a tenth more: 10.00 ms, 11.00 ms
CPU beside a client of ` + "`**`" + `: what it is without, and that client's deliveries; a tenth more: 62.0 %, 68.2 %
Start with 1,000,000 events in the log: 300 ms, 300 ms
`

func TestLimits(t *testing.T) {
	r := &results{sync: 0.25, byCase: make(map[string]*mode.Samples)}
	for _, m := range []struct {
		name, server string
		figures      mode.Figures
	}{
		{"latency reference", server.Naive, mode.Figures{"latency p99": 2}},
		{"latency thousand", server.Naive, mode.Figures{"latency p99": 3}},
		{"wildcard without", server.Hub, mode.Figures{"latency p99": 10, "cpu": 60}},
		{"wildcard with", server.Hub, mode.Figures{"accepted": 2000}},
		{"fanout 1", server.Hub, mode.Figures{"cpu million": 10}},
	} {
		r.byCase[m.name] = &mode.Samples{Rounds: map[string][]mode.Figures{m.server: {m.figures}}}
	}
	var got strings.Builder
	for _, one := range targets {
		row := one.row(r)
		got.WriteString(row[0] + ": " + row[1] + ", " + row[2] + "\n")
	}
	if got.String() != limits[1:] {
		t.Errorf("got\n%s", got.String())
	}
}
