//go:build linux

package slow

import (
	"fmt"
	"slices"
	"time"

	"github.com/navehub/nave/tests/trial"
)

// report fills the table, and holds it to what it must say.
func (x *attempt) report(table *trial.Table) {
	x.t.Helper()
	table.Row("healthy clients", "", "%d", x.sizes.healthy)
	table.Row("beside them: never read; a byte a second; vanished", "", "%d; %[1]d; %[1]d", x.sizes.bad)
	table.Row("stretches without, with", "", "%d, %d of %v", len(x.without), len(x.with), x.stretch)
	table.Row("published", "", "%d events", len(x.load.all()))
	x.reportHealthy(table)
	x.reportHub(table)
	x.reportBad(table)
}

// percentiles are those of several stretches.
func percentiles(stretches []latencies, percent float64) (all []time.Duration) {
	for _, s := range stretches {
		all = append(all, s.at(percent))
	}
	return all
}

// stalled is what no noise of the machine makes of the median: whoever waits for a
// bad client waits for the better part of its write timeout.
const stalled = time.Second

func (x *attempt) reportHealthy(table *trial.Table) {
	x.t.Helper()
	deliveries := 0
	for _, s := range slices.Concat(x.without, x.with) {
		deliveries += len(s)
	}
	table.Row("deliveries to the healthy, measured", "", "%d", deliveries)
	round := func(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
	half, halfWith := median(percentiles(x.without, 50)), median(percentiles(x.with, 50))
	table.Row("p50 of propagation to them, without, with", "less than "+stalled.String(), "%v, %v", round(half), round(halfWith))
	if max(half, halfWith) >= stalled {
		x.t.Errorf("half of what the healthy clients got took more than %v: somebody waits for the bad ones", max(half, halfWith))
	}
	without, with := median(percentiles(x.without, 99)), median(percentiles(x.with, 99))
	ratio := float64(with) / float64(without)
	table.Row("p99 of propagation to them, without, with", "", "%v, %v", round(without), round(with))
	table.Row("p99 with, to without", trial.Pick("", "1.5 or less"), "%.2f", ratio)
	if trial.Long() && ratio > 1.5 {
		x.t.Errorf("the 99th percentile is %.2f times what it is without bad clients: %v, without %v",
			ratio, percentiles(x.with, 99), percentiles(x.without, 99))
	}
	table.Row("p99 while the others read again", "", "%v", round(median(percentiles(x.reading, 99))))
	table.Row("longest that one ever waited", "", "%v", round(slices.Max(percentiles(slices.Concat(x.without, x.with, x.reading), 100))))
	cut, differ := x.healthy.judge(x.t)
	table.Count("healthy clients that were cut off", cut)
	table.Count("healthy clients without exactly everything", differ)
}

// allowed is how much the hub's memory may grow by for n clients that are slow:
// what its configuration lets wait for each, and for all; a page of the log that a
// client has in hand when it catches up, as events and as frames; and as much
// again, as the garbage collector lets garbage be as much as is in use.
func allowed(n int64) int64 {
	const (
		clientMailbox = 256 << 10 // client.mailbox
		mailboxes     = 64 << 20  // limits.mailboxes
		page          = 256 << 10
	)
	return 2 * (min(n*clientMailbox, mailboxes) + n*2*page)
}

func (x *attempt) reportHub(table *trial.Table) {
	x.t.Helper()
	bad := int64(3 * x.sizes.bad)
	allowed := allowed(bad)
	var most int64
	var heap float64
	for _, o := range x.outcomes {
		most, heap = max(most, o.usage.RSS), max(heap, o.heap)
	}
	table.Row("processor time of the hub a stretch, without, with", "", "%v, %v", median(x.cpuWithout), median(x.cpuWith))
	table.Row("unread at the end of a stretch", "", "%d MB", bad*int64(x.backlog())>>20)
	table.Row("RSS without, with (heap)", "", "%d, %d MB (%d MB)", x.quiet.RSS>>20, most>>20, int64(heap)>>20)
	grown := trial.Usage(x.t, x.hub).PeakRSS - x.quiet.RSS
	table.Row("most that RSS ever grew by", fmt.Sprintf("%d MB or less", allowed>>20), "%d MB", grown>>20)
	if grown > allowed {
		x.t.Errorf("memory grew by %d MB, where what waits takes %d MB at most", grown>>20, allowed>>20)
	}
}

// backlog is what is published in a stretch to whoever follows everything.
func (x *attempt) backlog() int {
	return int(x.stretch.Seconds() * float64(x.small.bytes()+x.bulk.bytes()))
}

// bytes are published a second.
func (k kind) bytes() int { return k.rate * k.batch * k.size }

// filled is within what time the buffers of whoever reads nothing are full.
const filled = 10 * time.Second

func (x *attempt) reportBad(table *trial.Table) {
	x.t.Helper()
	var total findings
	var cut, noticed time.Duration
	same, back := 0, 0
	for _, o := range x.outcomes {
		total.add(o.bad)
		cut, noticed = max(cut, o.cut), max(noticed, o.noticed)
		same, back = same+o.same, back+o.back
	}
	limit := x.writeTimeout + filled
	table.Row("all that never read were cut off after", limit.String()+" or less", "%v", cut.Round(100*time.Millisecond))
	table.Row("all that vanished were noticed after", limit.String()+" or less", "%v", noticed.Round(100*time.Millisecond))
	if max(cut, noticed) > limit {
		x.t.Errorf("the hub kept clients that never read for %v, and clients that had vanished for %v", cut, noticed)
	}
	table.Row("read on, on the connection they had", "some", "%d", same)
	if same == 0 {
		x.t.Error("no client has caught up on the connection that it had, which was to be tried")
	}
	table.Row("resumed with their cursor", "some", "%d", back)
	table.Row("told reset", "", "%d", total.resets)
	table.Count("events lost to them without a word", total.lost)
	table.Count("events they got twice, or late", total.double)
	table.Count("events they got that nobody published", total.foreign)
}
