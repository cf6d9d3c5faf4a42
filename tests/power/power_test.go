// Package power cuts the power of a whole hub, again and again, and judges from
// the outside what is left: what publishers were told and subscribers saw before
// a cut must hold after it.
//
// The disk of TestPowerCut is Pebble's crashable file system in memory, that of
// TestPowerCutOnDisk a real directory that is really synced, and is then made what
// a power cut could have left. What they lose was never synced.
//
// What a seed determines: the options of the hub, what every publisher draws, one
// draw after the other, when a run is to be cut, counted in writes to the disk,
// and what the dice say of what is lost. It does not determine how goroutines take
// turns: which publishes share a commit, which of them a cut hits, and what Pebble
// is doing beside it. So a seed that failed fails again often, but not surely; run
// it with -count.
package power

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/navehub/nave/tests/trial"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "run only this seed")
	seedsFlag = flag.Uint64("seeds", 0, "run this many seeds")
)

func TestMain(m *testing.M) { trial.Main(m) }

// TestPowerCut cuts the power of a hub whose disk is in memory.
func TestPowerCut(t *testing.T) {
	table := trial.NewTable(t, "power-memory", "Power cut, disk in memory")
	c := circumstances{
		seeds: pick(40, 3000), cuts: 4, writes: 200, atOnce: 2,
		machine: func(_ *testing.T, random *rand.Rand) machine { return newMemory(random) },
	}
	c.run(t, table)
}

// TestPowerCutOnDisk cuts the power of a hub on a real disk.
func TestPowerCutOnDisk(t *testing.T) {
	table := trial.NewTable(t, "power-disk", "Power cut, real disk")
	c := circumstances{
		seeds: pick(40, 300), cuts: 3, writes: 120, atOnce: 4,
		machine: func(t *testing.T, random *rand.Rand) machine { return newDisk(random, t.TempDir()) },
	}
	c.run(t, table)
}

// pick is how many seeds to run: fewer where each takes several times as long.
func pick(inShort, inLong uint64) uint64 {
	n := trial.Pick(inShort, inLong)
	if trial.Race {
		return n / 4
	}
	return n
}

// circumstances are those of all seeds.
type circumstances struct {
	seeds   uint64
	cuts    int   // of a seed while the hub works, and as many while it starts
	writes  int64 // to the disk, of a run, about
	atOnce  int   // seeds: while one waits for its disk, another may work
	machine func(*testing.T, *rand.Rand) machine
}

func (c circumstances) run(t *testing.T, table *trial.Table) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	first, last := uint64(1), c.seeds
	switch {
	case *seedFlag > 0:
		first, last = *seedFlag, *seedFlag
	case *seedsFlag > 0:
		last = *seedsFlag
	}
	sum := newTally()
	seeds := make(chan uint64)
	var working sync.WaitGroup
	for range c.atOnce {
		working.Go(func() {
			for seed := range seeds {
				t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { c.seed(t, seed, sum) })
			}
		})
	}
	told := time.Now()
	for seed := first; seed <= last; seed++ {
		seeds <- seed
		if trial.Long() && time.Since(told) > 10*time.Second {
			told = time.Now()
			t.Logf("seed %d of %d", seed, last)
		}
	}
	close(seeds)
	working.Wait()
	sum.write(table)
}

func (c circumstances) seed(t *testing.T, seed uint64, sum *tally) {
	name := t.Name()[:len(t.Name())-len(fmt.Sprint("/seed=", seed))]
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("again: go test ./tests/power -run '^%s$' -seed %d -count 20 -failfast", name, seed)
		}
	})
	w := newWorld(t, seed, sum, func(random *rand.Rand) machine { return c.machine(t, random) })
	for _, p := range w.plans(c.cuts, c.writes) {
		w.live(p)
		if w.count(faultStart) > 0 {
			return // there is nothing more to see
		}
	}
	w.judge()
	sum.add(rowSeeds, 1)
}
