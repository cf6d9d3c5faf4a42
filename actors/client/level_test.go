package client_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
)

// A level with streams is news; one without ends the stream, which is told to poll.
func TestALevelIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &page{}
		ref := liveFor(t, nil, out)
		tell(t, ref, client.Level{Level: nave.LevelShed, AtLeast: 20 * time.Second})
		out.wrote(t, "hub.sync", "hub.level")
		tell(t, ref, client.Level{Level: nave.LevelPolling, Reason: "a trial", Retry: 2 * time.Second, Spread: time.Second})
		out.wrote(t, "hub.sync", "hub.level", "hub.level", "hub.bye")
		for _, want := range []string{`{"level":"shed","forMs":20000,"heartbeatMs":15000}`, `{"level":"polling","reason":"a trial","poll":true,"retryMs":2`, `{"reason":"level","retryMs":2`} {
			if !bytes.Contains(out.text(), []byte(want)) {
				t.Errorf("%s lacks %s", out.text(), want)
			}
		}
	})
}
