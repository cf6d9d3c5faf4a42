package power

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

var errNoPower = errors.New("the power is off")

// A supply is the power of one run of the hub. It is on until it is cut, for good.
type supply struct {
	// Set before the run. Cutting sees a disk that nothing is being written to.
	cutting    func()
	beforeSync bool // cut only before the sync of a WAL, so that what is written last is not synced

	at     atomic.Int64 // the number of the write before which the power is cut
	writes atomic.Int64

	// off is set before anything is lost: who finds it unset knew in time.
	off  atomic.Bool
	once sync.Once
	dark chan struct{} // closed when the power has been cut

	// gate is held by every write as long as it takes, and by the cut. So the cut
	// falls between two writes: what a write leaves half done is up to cutting.
	gate sync.RWMutex
	dead bool // writes fail; guarded by gate
}

// hesitation is how long a sync takes that does not come to its end: long enough
// for somebody to see what must not be seen before it has.
const hesitation = 2 * time.Millisecond

// muchLater is when no sync is waited for any more: there seem to be none.
const muchLater = 200

func newSupply() *supply {
	s := &supply{dark: make(chan struct{})}
	s.at.Store(math.MaxInt64)
	return s
}

func (s *supply) on() bool { return !s.off.Load() }

// cut cuts the power, and returns when it is done.
func (s *supply) cut() {
	s.once.Do(func() {
		s.off.Store(true)
		s.gate.Lock()
		defer s.gate.Unlock()
		s.cutting()
		close(s.dark)
	})
}

// write does what changes the disk, unless the power is cut before.
func (s *supply) write(do func() error) error { return s.step(false, do) }

func (s *supply) step(syncsWAL bool, do func() error) error {
	past := s.writes.Add(1) - s.at.Load()
	switch {
	case past < 0:
	case !s.beforeSync, past > muchLater:
		s.cut()
	case syncsWAL:
		time.Sleep(hesitation)
		s.cut()
	}
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.dead {
		return errNoPower
	}
	return do()
}
