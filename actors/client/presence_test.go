package client_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/frame"
)

// What is told of presence begins with the lists, also for a client that was behind:
// the changes before them are in them.
func TestPresenceBeginsWithTheLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, out, at := &past{}, &page{}, desk{make(chan actors.Ref[client.Message], 1)}
		ref := spawnFor(t, client.Request{
			Filters: nave.Filters{"a"}, Presence: []nave.Topic{"boards/7"}, Cursor: "epoch-0", Transport: out,
		}, log, at)
		told := func(name string, to []uint64) client.Offer {
			e := nave.Event{Topic: "$presence/boards/7", Type: name}
			f := frame.New("epoch", e, time.Now())
			f.To = to
			return client.Offer{Frames: []*frame.Frame{f}, At: time.Now(), Bytes: f.Size()}
		}
		attach := func() {
			synctest.Wait()
			<-at.asked
			tell(t, ref, client.Attached{Head: log.Head()})
		}
		attach()
		tell(t, ref, told("early", nil))
		tell(t, ref, log.commit())
		tell(t, ref, told("list", []uint64{1}))
		tell(t, ref, told("change", nil))
		out.wrote(t, "hub.sync", "t", "list", "change")
		tell(t, ref, client.Lagging{})
		attach()
		tell(t, ref, told("early", nil))
		tell(t, ref, told("list", []uint64{1}))
		tell(t, ref, told("change", nil))
		out.wrote(t, "hub.sync", "t", "list", "change", "list", "change")
	})
}
