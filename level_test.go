package nave_test

import (
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave"
)

func TestLevels(t *testing.T) {
	for level, has := range map[nave.Level]string{
		nave.LevelNormal:   "receipts, transient events, every version, quick heartbeats, long replays, streams, pages",
		nave.LevelShed:     "every version, quick heartbeats, long replays, streams, pages",
		nave.LevelConserve: "streams, pages",
		nave.LevelPolling:  "pages",
		nave.LevelOff:      "",
	} {
		var left []string
		for _, l := range nave.Losses {
			if level.Has(l.Feature) {
				left = append(left, string(l.Feature))
			}
		}
		if got := strings.Join(left, ", "); got != has {
			t.Errorf("%s has %s, want %s", level, got, has)
		}
		if got, err := nave.ParseLevel(string(level)); got != level || err != nil {
			t.Errorf("ParseLevel(%s) = %s, %v", level, got, err)
		}
		if nave.Levels[level.Number()] != level {
			t.Errorf("%s has the number %d", level, level.Number())
		}
	}
	if quick, slow := nave.LevelShed.Heartbeat(time.Second), nave.LevelPolling.Heartbeat(time.Second); quick != time.Second || slow != 3*time.Second {
		t.Errorf("heartbeats every second come every %v at shed, every %v at polling", quick, slow)
	}
	for i, better := range nave.Levels {
		for _, worse := range nave.Levels[i:] {
			if better.Better(worse) != better || worse.Better(better) != better || better.Worse(worse) != worse || worse.Worse(better) != worse || !worse.AtLeast(better) {
				t.Errorf("%s is not worse than %s", worse, better)
			}
		}
	}
	if _, err := nave.ParseLevel("Normal"); nave.CodeOf(err) != nave.CodeInvalid {
		t.Errorf("a level that is none: %v", err)
	}
}
