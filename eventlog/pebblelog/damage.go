package pebblelog

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/cockroachdb/pebble/v2"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/internal/admit"
)

// Damage is something that is stored and cannot be read. It does not break the
// log: one bad block of an old table would keep everybody from everything. Whoever
// needs it is told, Ready says so from then on, and all else goes on.

// errIncomplete is damage that has taken the end of the log.
var errIncomplete = errors.New("its end is missing")

// isDamage includes what a disk says of a sector that it cannot read.
func isDamage(err error) bool {
	return pebble.IsCorruptionError(err) || errors.Is(err, errCorrupt) || errors.Is(err, errIncomplete) ||
		errors.Is(err, syscall.EIO)
}

// ofTheSystem tells what keeps a log from being opened for now, such as a full
// disk, from what is wrong with it: to miss a file is that.
func ofTheSystem(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && errno != syscall.ENOENT
}

// noteDamage remembers the first damage that anybody came across.
func (l *Log) noteDamage(err error) {
	if isDamage(err) {
		l.damage.set(err)
	}
}

// damaged is an error if the log is known to be.
func (l *Log) damaged() error {
	if cause := l.damage.err(); cause != nil {
		return nave.Errorf(nave.CodeUnavailable, "%w", damageIn(l.dir, cause))
	}
	return nil
}

func damageIn(dir string, cause error) error {
	return fmt.Errorf("the log in %s is damaged; restore it or move it away: %w", dir, oneLine(cause))
}

// unreadable answers a reader who needs what is damaged: what it has missed,
// nobody can tell.
func (l *Log) unreadable(err error) error {
	if !isDamage(err) {
		return err
	}
	l.noteDamage(err)
	return &nave.ResetError{Reason: nave.ResetDamaged}
}

// unreadableState answers a reader of the state who needs what is damaged.
func (l *Log) unreadableState(err error) error {
	if !isDamage(err) {
		return err
	}
	l.noteDamage(err)
	return l.damaged()
}

// appendOthers appends the group without the batches that depend on something
// damaged. These are refused.
func (l *Log) appendOthers(group []eventlog.Batch) ([]eventlog.Outcome, error) {
	return l.appendWithout(group, func(b *eventlog.Batch) error {
		past := &past{log: l}
		defer past.close()
		if _, _, err := admit.Group(past, l.options.Window(), l.Head(), []eventlog.Batch{*b}); isDamage(err) {
			return l.damaged()
		}
		return nil
	})
}
