package client_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
)

// A slowPage has taken what was written to it, but for so many bytes.
type slowPage struct {
	page
	left   atomic.Int64
	closed atomic.Bool
}

func (p *slowPage) Backlog() int { return int(p.left.Load()) }

func (p *slowPage) TryWrite([][]byte) (int, error) { return 0, nil }

func (p *slowPage) Close() error {
	p.closed.Store(true)
	return nil
}

// No page of history is held for a reader that does not take the one before: not
// in the memory of the hub, of which there is one for thousands.
func TestNothingIsReadForAReaderThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, out, at := &past{}, &slowPage{}, desk{make(chan actors.Ref[client.Message], 1)}
		log.commit()
		reads := 0
		log.read = func() { reads++ }
		out.left.Store(200 << 10)
		spawn(t, log, out, at)
		for range 8 { // it takes a little, again and again
			time.Sleep(5 * time.Second)
			out.left.Add(-10 << 10)
		}
		synctest.Wait()
		if reads > 0 || out.closed.Load() {
			t.Fatalf("while it is behind, history was read %d times; closed: %v", reads, out.closed.Load())
		}
		out.left.Store(0)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := out.offsets(t); len(got) != 1 || out.closed.Load() {
			t.Errorf("when it has caught up it sees %v; closed: %v", got, out.closed.Load())
		}
	})
}

func TestReaderThatTakesNothingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, out, at := &past{}, &slowPage{}, desk{make(chan actors.Ref[client.Message], 1)}
		log.commit()
		out.left.Store(200 << 10)
		spawn(t, log, out, at)
		time.Sleep(client.Config{}.WithDefaults().WriteTimeout - time.Second)
		if out.closed.Load() {
			t.Error("it is given up early")
		}
		time.Sleep(2 * time.Second)
		if !out.closed.Load() {
			t.Error("it is not given up")
		}
	})
}
