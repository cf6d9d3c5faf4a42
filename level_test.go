package nave_test

import (
	"testing"

	"github.com/navehub/nave"
)

func TestLevels(t *testing.T) {
	for level, has := range map[nave.Level][3]bool{
		nave.LevelNormal: {true, true, true}, nave.LevelShed: {false, true, true}, nave.LevelConserve: {false, true, true},
		nave.LevelPolling: {false, false, true}, nave.LevelOff: {false, false, false},
	} {
		if got := [3]bool{level.Has(nave.TransientEvents), level.Has(nave.Streams), level.Has(nave.Pages)}; got != has {
			t.Errorf("%s has %v of transient events, streams and pages, want %v", level, got, has)
		}
		if got, err := nave.ParseLevel(string(level)); got != level || err != nil {
			t.Errorf("ParseLevel(%s) = %s, %v", level, got, err)
		}
	}
	for i, better := range nave.Levels {
		for _, worse := range nave.Levels[i:] {
			if better.Worse(worse) != worse || worse.Worse(better) != worse || !worse.AtLeast(better) {
				t.Errorf("%s is not worse than %s", worse, better)
			}
		}
	}
	if _, err := nave.ParseLevel("Normal"); nave.CodeOf(err) != nave.CodeInvalid {
		t.Errorf("a level that is none: %v", err)
	}
}
