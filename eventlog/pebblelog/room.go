package pebblelog

import (
	"fmt"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// A full disk is refused before it is met: a write that fails breaks the log,
// and then nobody can read it either. Below Options.MinFree no durable event is
// taken. What is kept free is for what the log has to write all the same, until
// others have taken that too and only tightPart of it is left.
const tightPart = 8

// noRoomRetry is when a publisher should try again: a disk is not emptied at once.
const noRoomRetry = 5 * time.Second

// Ready is nil while the log can do all it promises; see [eventlog.Log].
func (l *Log) Ready() error {
	if err := l.broken(); err != nil {
		return err
	}
	if err := stillThere(l.options.FS, l.dir); err != nil {
		return l.breaks(err)
	}
	if err := l.damaged(); err != nil {
		return err
	}
	return l.noRoom()
}

// errNoRoom is what publishers hear. How much there is, is no business of theirs.
var errNoRoom = nave.Errorf(nave.CodeUnavailable,
	"the hub's disk is nearly full: nothing durable is stored until there is more room").After(noRoomRetry)

// lookEvery and lookPart are how seldom appends ask for the room there is: asking
// costs as much as a small write.
const (
	lookEvery = 10 * time.Millisecond
	lookPart  = 32 // of MinFree, written in between
)

// lookForRoom sees to it that short is no older than lookEvery, if there is less
// than usual or if much is to be written.
func (l *Log) lookForRoom(group []eventlog.Batch) {
	for i := range group {
		l.unlooked += int64(group[i].Size())
	}
	now := time.Now()
	if l.short.Load() || l.unlooked > l.options.MinFree/lookPart || now.Sub(l.looked) >= lookEvery {
		_ = l.noRoom()
		l.unlooked, l.looked = 0, now
	}
}

// noRoom is an error while there is too little, and until there is a little more
// than enough: what the log itself writes and removes must not make it waver.
func (l *Log) noRoom() error {
	least := l.options.MinFree
	if l.short.Load() {
		least += least / tightPart
	}
	free := l.free()
	l.short.Store(free < least)
	if free >= least {
		return nil
	}
	return fmt.Errorf("the disk of %s has %.1f MiB free, less than the %.1f MiB that it needs: nothing durable is stored until there is more",
		l.dir, float64(free)/(1<<20), float64(least)/(1<<20))
}

// tight reports that the log had better write nothing at all.
func (l *Log) tight() bool { return l.free() < l.options.MinFree/tightPart }

// free is how many bytes there are, or the most there can be if nobody can say.
func (l *Log) free() int64 {
	const plenty = 1<<63 - 1
	if l.options.MinFree < 0 {
		return plenty
	}
	usage, err := l.options.FS.GetDiskUsage(l.dir)
	if err != nil {
		return plenty
	}
	return int64(min(usage.AvailBytes, plenty))
}

// appendSome appends what can do without the disk, and refuses the rest.
func (l *Log) appendSome(group []eventlog.Batch) ([]eventlog.Outcome, error) {
	last := l.Head()
	return l.appendWithout(group, func(b *eventlog.Batch) error {
		last += uint64(len(b.Events))
		if b.Durability == nave.Durable || l.tight() && (last > l.reserved || l.unmarked(b)) {
			return errNoRoom
		}
		return nil
	})
}

// appendWithout appends the group without the batches that are refused.
func (l *Log) appendWithout(group []eventlog.Batch, refuse func(*eventlog.Batch) error) ([]eventlog.Outcome, error) {
	outcomes := make([]eventlog.Outcome, len(group))
	var others []eventlog.Batch
	var places []int
	for i := range group {
		if outcomes[i].Err = refuse(&group[i]); outcomes[i].Err == nil {
			others, places = append(others, group[i]), append(places, i)
		}
	}
	if len(others) == 0 {
		return outcomes, nil
	}
	done, err := l.appendGroup(others)
	if err != nil {
		return nil, err
	}
	for k, i := range places {
		outcomes[i] = done[k]
	}
	return outcomes, nil
}

// unmarked reports whether a mark would have to be written for the batch.
func (l *Log) unmarked(b *eventlog.Batch) bool {
	for i := range b.Events {
		if !l.hasMark(firstSegment(string(b.Events[i].Topic))) {
			return true
		}
	}
	return false
}
