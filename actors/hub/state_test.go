package hub

import (
	"testing"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog/pebblelog"
)

// Whoever reads the state while the log is closed under him is told to try again,
// and not of a defect.
func TestStateThatEndsEarlySaysWhy(t *testing.T) {
	h := startOn(t, Config{}, pebblelog.Opener(t.TempDir(), pebblelog.Options{}))
	e := event("cards/1", "moved", 1)
	e.Key = "a"
	publish1(t, h, e)
	state, err := h.State(t.Context(), nave.Filters{"cards/*"})
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	if err := (*h.history.log.Load()).Close(); err != nil { // as the journal does to a log that broke
		t.Fatal(err)
	}
	for _, err := range state.Events() {
		if nave.CodeOf(err) != nave.CodeUnavailable {
			t.Errorf("the state ends with %v, which is %s", err, nave.CodeOf(err))
		}
		return
	}
	t.Error("the state ends as if this were all")
}
