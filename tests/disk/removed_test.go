package disk

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

// A directory that is taken away from under a hub, or a disk that is unmounted, is
// noticed: no publisher hears yes, and no other log is made in its place. When the
// log is back, so is the hub.
func TestRemovedDirectory(t *testing.T) {
	hub := hubOn(t, t.TempDir())
	trial.Publish(t, hub, event("cards/1", "1", "before"))
	away := hub.Data + ".away"
	if err := os.Rename(hub.Data, away); err != nil {
		t.Fatal(err)
	}
	said := trial.Eventually(t, func() (string, bool) {
		status, text := trial.Get(t, hub, "/readyz")
		return text, status == 503
	})
	if !strings.Contains(said, "is gone") {
		t.Errorf("readiness says %s", said)
	}
	if a, err := harness.Publish(trial.Soon(t), hub.URL("/v1/events"), event("cards/1", "2", "meanwhile")); err != nil || a.Status != 503 {
		t.Errorf("a publish is answered with %d %s %v", a.Status, a.Detail, err)
	}
	if _, err := os.Stat(hub.Data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something is in its place: %v", err)
	}
	if err := os.Rename(away, hub.Data); err != nil {
		t.Fatal(err)
	}
	trial.Eventually(t, func() (string, bool) {
		status, text := trial.Get(t, hub, "/readyz")
		return text, status == 200
	})
	if a := trial.Publish(t, hub, event("cards/1", "1", "before")); !a.Repeat {
		t.Errorf("what was published before is not there any more: %+v", a)
	}
}
