package hub

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
)

// An unreadyLog says that it is not ready, as a log does whose disk is full.
type unreadyLog struct {
	eventlog.Log
	why    *atomic.Pointer[error]
	opened *atomic.Int64
}

func (l unreadyLog) Ready() error {
	if why := l.why.Load(); why != nil {
		return *why
	}
	return l.Log.Ready()
}

func unready() (open eventlog.Opener, l unreadyLog) {
	same := memlog.Opener(eventlog.Options{})
	l = unreadyLog{why: new(atomic.Pointer[error]), opened: new(atomic.Int64)}
	return func(ctx context.Context) (eventlog.Log, error) {
		l.opened.Add(1)
		log, err := same(ctx)
		return unreadyLog{log, l.why, l.opened}, err
	}, l
}

func TestReadinessTellsThatTheLogIsFull(t *testing.T) {
	bubble(t, func(t *testing.T) {
		open, log := unready()
		h := startOn(t, Config{}, open)
		full := errors.New("the disk is full")
		log.why.Store(&full)
		time.Sleep(2 * checkEvery)
		if err := h.Ready(); err == nil || !strings.Contains(err.Error(), "log: the disk is full") {
			t.Errorf("Ready with a full log = %v", err)
		}
		log.why.Store(nil)
		time.Sleep(2 * checkEvery)
		if err := h.Ready(); err != nil || log.opened.Load() != 1 {
			t.Errorf("Ready with room again = %v; opened %d times, want once", err, log.opened.Load())
		}
	})
}

// A log may break while nobody publishes: by trimming, or by what its store does
// in the background.
func TestLogThatBreaksWhileIdleIsReopened(t *testing.T) {
	bubble(t, func(t *testing.T) {
		open, log := unready()
		h := startOn(t, Config{}, open)
		broken := eventlog.ErrBroken
		log.why.Store(&broken)
		time.Sleep(checkEvery + reopenMin/2)
		if err := h.Ready(); !errors.Is(err, eventlog.ErrBroken) {
			t.Errorf("Ready with a broken log = %v", err)
		}
		log.why.Store(nil)
		time.Sleep(time.Second)
		if err := h.Ready(); err != nil || log.opened.Load() < 2 {
			t.Errorf("Ready afterwards = %v; opened %d times", err, log.opened.Load())
		}
		publish1(t, h, nave.Event{Topic: "cards/1", Type: "moved"})
	})
}
