package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/eventlog"
)

const (
	// reopenMin and reopenMax are the pauses between tries to reopen the log.
	reopenMin = 100 * time.Millisecond
	reopenMax = 5 * time.Second
	// checkEvery is how often the log is asked whether it is ready.
	checkEvery = time.Second
)

// broken gives up the log: no write to it can be believed any more. Durable and
// memory events are refused until it is open again; transient ones go on.
func (j *journal) broken(c *actors.Context[journalMessage], err error) {
	j.refuse(errLogBroken)
	j.hub.health.set(healthLog, err)
	if err := j.log.Close(); err != nil {
		j.hub.logger.Warn("the broken log does not close cleanly", "error", err)
	}
	j.log = nil
	j.tryIn(c, reopenMin)
}

// tryIn has the log reopened after a pause. Until then publishers are refused before
// they come here.
func (j *journal) tryIn(c *actors.Context[journalMessage], pause time.Duration) {
	j.untry()
	j.untry = c.After(pause, reopen{})
	j.hub.guard.broken(time.Now().Add(pause))
}

// check asks the log whether it is ready: it may have broken while nobody
// published, or its disk may be full, or no longer.
func (j *journal) check(c *actors.Context[journalMessage]) {
	if j.log == nil {
		return
	}
	err := j.log.Ready()
	if errors.Is(err, eventlog.ErrBroken) {
		j.hub.logger.Error("the log is broken; reopening it", "error", err)
		j.broken(c, err)
		return
	}
	j.hub.health.set(healthLog, err)
	switch unready := err != nil; {
	case unready && !j.unready:
		j.hub.logger.Error("the log is not ready", "error", err)
	case !unready && j.unready:
		j.hub.logger.Info("the log is ready again")
	}
	j.unready = err != nil
}

func (j *journal) reopen(c *actors.Context[journalMessage]) {
	if j.log != nil {
		return
	}
	j.hub.guard.begin()
	log, err := j.hub.open(context.Background())
	if err != nil {
		j.hub.health.set(healthLog, err)
		j.pause = min(max(2*j.pause, reopenMin), reopenMax)
		j.hub.logger.Error("the log cannot be opened; trying again", "error", err, "in", j.pause)
		j.tryIn(c, j.pause)
		return
	}
	j.pause = 0
	j.use(c, log)
	j.hub.logger.Info("the log is open again", "head", log.Head())
}

// use makes the log everybody's. What it holds beyond the last dispatched group
// was written by a commit whose outcome was unknown: it happened, so clients
// hear of it.
func (j *journal) use(c *actors.Context[journalMessage], log eventlog.Log) {
	if before := j.hub.Epoch(); log.Epoch() != before {
		_ = log.Close() // it is not ours
		panic(fmt.Errorf("the log was %s and is %s now: it has been replaced under the hub", before, log.Epoch()))
	}
	j.log = log
	j.hub.history.log.Store(&log)
	if err := j.recover(j.hub.Head()); err != nil {
		panic(fmt.Errorf("read the reopened log: %w", err))
	}
	j.hub.recent.start(log.Head())
	for _, d := range j.hub.dispatchers { // an earlier incarnation may have failed before it could
		_ = d.Tell(wake{})
	}
	j.hub.guard.opened()
	j.check(c)
}

// everything matches all topics, the hub's own too, which a wildcard in the
// first segment does not.
var everything = nave.Filters{"**", "$hub/**"}

func (j *journal) recover(after uint64) error {
	for {
		frames, next, err := j.hub.history.readLog(context.Background(), after, everything)
		if err != nil || next == after {
			return err
		}
		after = next
		if len(frames) == 0 {
			continue
		}
		g := &group{frames: frames, head: frames[len(frames)-1].Event.Offset, at: time.Now()}
		for _, f := range frames {
			f.Accepted = g.at // nobody knows when it was
			g.bytes += f.Memory()
		}
		g.shards.Store(int32(len(j.hub.dispatchers)))
		j.hub.recent.add(g)
		j.dispatch(g)
	}
}
