//go:build linux

package slow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// An attempt is the trial under way.
type attempt struct {
	sizes
	t       *testing.T
	hub     *harness.Process
	load    *load
	healthy *followers
	// returns comes back while the hub still has its connections, lost does so
	// only when the hub has none left.
	returns, lost *harness.Network

	without, with, reading []latencies   // of the healthy clients, by stretch
	quiet                  harness.Usage // under the load, without bad clients
	cpuWithout, cpuWith    []time.Duration
	outcomes               []outcome
}

// An outcome is what was found at the end of a stretch with bad clients, and after
// it.
type outcome struct {
	usage   harness.Usage
	heap    float64
	cut     time.Duration // from the connect until the hub had cut off all that never read
	noticed time.Duration // from their vanishing until the hub had given up all that had not returned
	same    int           // clients that read on from the connection that they had
	back    int           // clients that came back with their cursor
	bad     findings
}

func TestSlowAndDeadClients(t *testing.T) {
	x := &attempt{sizes: chosen(), t: t, returns: network(t), lost: network(t)}
	table := trial.NewTable(t, "slow", "slow and dead clients")
	x.hub = hubAt(t, x.returns, "NAVE_CLIENT_WRITE_TIMEOUT="+x.writeTimeout.String())
	x.load = &load{t: t, hub: x.hub, start: time.Now()}
	x.healthy = follow(t, x.hub, x.load, x.sizes.healthy)
	x.gone(nil)
	for range x.pairs {
		x.stretchWithout()
		x.stretchWith()
		if t.Failed() {
			break
		}
	}
	x.report(table)
}

func (x *attempt) stretchWithout() {
	x.t.Helper()
	cpu := trial.Usage(x.t, x.hub).CPU
	x.load.during(x.stretch, x.small, x.bulk)
	waits := x.healthy.reached(x.t)
	x.cpuWithout = append(x.cpuWithout, trial.Usage(x.t, x.hub).CPU-cpu)
	x.without = append(x.without, waits)
	if len(x.without) == 1 {
		x.quiet = trial.Usage(x.t, x.hub)
	}
	x.t.Logf("without: p50 %v, p99 %v, most %v", waits.at(50), waits.at(99), waits.at(100))
}

// stretchWith is one with bad clients, until all have everything and are gone.
func (x *attempt) stretchWith() {
	t := x.t
	t.Helper()
	ctx, end := context.WithTimeout(t.Context(), x.stretch)
	defer end()
	t.Logf("stretch %d, with bad clients", len(x.with)+1)
	begin, cpu := time.Now(), trial.Usage(t, x.hub).CPU
	var publishing, creeping sync.WaitGroup
	publishing.Go(func() { x.load.until(ctx, x.small, x.bulk) })
	defer publishing.Wait()

	never := newGroup(t, "never reads", x.sizes.bad, dialer(x.hub, nil))
	creep := newGroup(t, "a byte a second", x.sizes.bad, dialer(x.hub, nil))
	returns := newGroup(t, "vanishes and returns", x.sizes.bad/2, dialer(x.hub, x.returns))
	lost := newGroup(t, "vanishes", x.sizes.bad-x.sizes.bad/2, dialer(x.hub, x.lost))
	creep.each(t, "creep", func(c *slowClient) error {
		creeping.Go(func() { c.creep(ctx) })
		return nil
	})
	away := slices.Concat(returns, lost)
	away.each(t, "read until it vanishes", func(c *slowClient) error {
		return errors.Join(c.read(1), c.read(c.position+1)) // the verdict, and an event
	})
	x.do("vanish", x.returns.Vanish, x.lost.Vanish)
	vanished := time.Now()

	publishing.Wait()
	creeping.Wait()
	waits := x.healthy.reached(t)
	x.with = append(x.with, waits)
	t.Logf("with: p50 %v, p99 %v, most %v", waits.at(50), waits.at(99), waits.at(100))
	x.stillBad(never, creep, away)
	o := x.measure()
	x.cpuWith = append(x.cpuWith, o.usage.CPU-cpu)
	x.readAgain(&o, begin, vanished, never, creep, returns, lost)
	x.outcomes = append(x.outcomes, o)
}

// do changes networks.
func (x *attempt) do(what string, changes ...func(context.Context) error) {
	x.t.Helper()
	for _, change := range changes {
		if err := change(x.t.Context()); err != nil {
			x.t.Fatalf("%s: %v", what, err)
		}
	}
}

// stillBad makes sure that this has been a trial: the hub has all these
// connections still, and cannot get rid of what it has for them.
func (x *attempt) stillBad(groups ...group) {
	x.t.Helper()
	hubs := connections(x.t, x.hub)
	for _, g := range groups {
		if stuck := g.stuck(hubs); stuck != len(g) {
			x.t.Errorf("only %d of %d connections such as of %q were stuck until the end", stuck, len(g), g[0].name)
		}
	}
}

// measure is what the hub uses while it has the bad clients.
func (x *attempt) measure() outcome {
	x.t.Helper()
	return outcome{usage: trial.Usage(x.t, x.hub), heap: metric(x.t, x.hub, "go_memory_used_bytes")}
}

// readAgain lets the bad clients read, each kind as soon as it can, beside
// publishers that go on. It is over when all have everything and are gone.
func (x *attempt) readAgain(o *outcome, begin, vanished time.Time, never, creep, returns, lost group) {
	t := x.t
	t.Helper()
	all := slices.Concat(never, creep, returns, lost)
	target := x.load.last()
	ctx, end := context.WithCancel(t.Context())
	var publishing, reading sync.WaitGroup
	publishing.Go(func() { x.load.until(ctx, x.small) })
	defer publishing.Wait()
	defer end()

	x.do("return", x.returns.Return)
	for _, g := range []group{creep, returns} {
		reading.Go(func() { g.catchUp(t, target) })
	}
	o.cut, o.noticed = x.untilCut(never, begin, lost, vanished)
	t.Logf("cut off all that never read within %v, all that vanished within %v", o.cut, o.noticed)
	x.do("return", x.lost.Return)
	for _, g := range []group{never, lost} {
		reading.Go(func() { g.catchUp(t, target) })
	}
	reading.Wait()

	end()
	publishing.Wait()
	x.reading = append(x.reading, x.healthy.reached(t))
	waits := x.reading[len(x.reading)-1]
	t.Logf("all have read again: p50 %v, p99 %v, most %v to the healthy", waits.at(50), waits.at(99), waits.at(100))
	o.back = all.resumed()
	o.same = len(all) - o.back
	x.liveAgain(all)
	o.bad = all.judge(t, x.load.all(), x.load.last())
	x.gone(all)
}

// untilCut waits until the hub has none of the connections of two groups, and says
// for how long it had them.
func (x *attempt) untilCut(a group, aSince time.Time, b group, bSince time.Time) (aLasted, bLasted time.Duration) {
	x.t.Helper()
	untilConnected(x.t, x.hub, x.writeTimeout+30*time.Second, func(hubs map[string]int) (string, bool) {
		if aLasted == 0 && a.connected(hubs) == 0 {
			aLasted = time.Since(aSince)
		}
		if bLasted == 0 && b.connected(hubs) == 0 {
			bLasted = time.Since(bSince)
		}
		left := fmt.Sprintf("%d connected such as %q, %d such as %q", a.connected(hubs), a[0].name, b.connected(hubs), b[0].name)
		return left, aLasted > 0 && bLasted > 0
	})
	return aLasted, bLasted
}

// liveAgain publishes to those who have caught up: they get it on the connection
// that they have.
func (x *attempt) liveAgain(all group) {
	x.t.Helper()
	before := 0
	for _, c := range all {
		before += c.resumed
	}
	x.load.during(time.Second, x.small, x.bulk)
	all.catchUp(x.t, x.load.last())
	for _, c := range all {
		before -= c.resumed
	}
	if before != 0 {
		x.t.Errorf("%d clients had to come back once more when they had caught up", -before)
	}
	x.healthy.reached(x.t)
}

// gone waits until the hub has none but the healthy clients.
func (x *attempt) gone(all group) {
	x.t.Helper()
	all.close()
	trial.Eventually(x.t, func() (string, bool) {
		active := metric(x.t, x.hub, "nave_connection_active")
		return fmt.Sprintf("%v connections active", active), active == float64(x.sizes.healthy)
	})
	// The others are those of publishers and of who asks for metrics.
	http.DefaultClient.CloseIdleConnections()
	trial.Eventually(x.t, func() (string, bool) {
		n := sockets(x.t, x.hub)
		return fmt.Sprintf("%d sockets with %d healthy clients", n, x.sizes.healthy), n == x.sizes.healthy+1 // it listens
	})
}
