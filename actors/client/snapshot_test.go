package client_test

import (
	"bytes"
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/frame"
)

// manyKeys are a state that takes several pages.
type manyKeys struct{ closed *int }

func (manyKeys) Offset() uint64 { return 5 }
func (s manyKeys) Close() error { *s.closed++; return nil }

func (manyKeys) Events() iter.Seq2[nave.Event, error] {
	return func(yield func(nave.Event, error) bool) {
		for i := range 2000 {
			e := nave.Event{Topic: "a", Type: "t", Key: "k", Offset: uint64(i%5 + 1), Data: bytes.Repeat([]byte("1"), 200)}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// trimmed is a history whose beginning retention has taken.
type trimmed struct {
	past
	opened, closed int
}

func (*trimmed) Head() uint64 { return 9 }

func (*trimmed) Read(_ context.Context, after uint64, _ nave.Filters) ([]*frame.Frame, uint64, error) {
	if after < 5 {
		return nil, 0, &nave.ResetError{Reason: nave.ResetRetention}
	}
	return nil, 9, nil
}

func (p *trimmed) State(context.Context, nave.Filters) (eventlog.Snapshot, error) {
	p.opened++
	return manyKeys{&p.closed}, nil
}

// What the dispatcher says while a snapshot goes out does not begin another.
func TestASnapshotGoesOnWhenTheClientLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, out, at := &trimmed{}, &page{}, desk{make(chan actors.Ref[client.Message], 8)}
		request := client.Request{Filters: nave.Filters{"a"}, Cursor: "epoch-1", Snapshot: true, Transport: out}
		ref := spawnFor(t, request, log, at)
		for _, m := range []client.Message{client.Attached{Head: 9}, client.Lagging{}, client.Attached{Head: 9}} {
			if err := ref.Tell(m); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		begun, ended := bytes.Count(out.written.Bytes(), []byte(`"begin"`)), bytes.Count(out.written.Bytes(), []byte(`"end"`))
		if begun != 1 || ended != 1 || log.opened != log.closed {
			t.Errorf("snapshots: %d begun, %d ended; states: %d opened, %d closed", begun, ended, log.opened, log.closed)
		}
	})
}
