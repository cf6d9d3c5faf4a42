package breaker

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
)

// A breaker asks for its level from opening until it is closed.
func TestAsksForALevelUntilItIsClosed(t *testing.T) {
	bubble(t, Config{Level: nave.LevelShed}, func(t *testing.T, g *ground) {
		if got := g.Level(); got != nave.LevelNormal {
			t.Errorf("closed, it asks for %s", got)
		}
		g.calls(20, errCall)
		if got := g.Level(); got != nave.LevelShed {
			t.Errorf("open, it asks for %s", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := g.Level(); g.State() != HalfOpen || got != nave.LevelShed {
			t.Errorf("%s, it asks for %s", g.State(), got)
		}
		g.calls(3, nil)
		if got := g.Level(); got != nave.LevelNormal {
			t.Errorf("closed again, it asks for %s", got)
		}
	})
	if got := New(Config{Name: "mail"}).Level(); got != nave.LevelNormal {
		t.Errorf("without a level, it asks for %s", got)
	}
}
