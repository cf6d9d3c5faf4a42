package linear

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/navehub/nave/tests/trial"
)

// patience is how long one history may be thought about. They are short: the
// longest takes milliseconds.
const patience = 20 * time.Second

// pictures is how many histories are drawn, if there are so many that will not do.
const pictures = 5

// findings are what a trial is about.
type findings struct {
	mu                 sync.Mutex
	histories          int
	told               tally
	longest            time.Duration
	illegal, undecided int
	// resolved are writes of which only a try without answer can have been stored,
	// and was; forgotten are those with such a try that were not.
	resolved, forgotten int
	cut                 int // operations that were under way when something broke
}

// tally counts what clients were told.
type tally struct{ stored, conflicts, reads, repeats, unknown int }

func (t *tally) add(told outcome) {
	switch told.(type) {
	case stored:
		t.stored++
	case conflicted:
		t.conflicts++
	case snapshot, replay:
		t.reads++
	case repeated:
		t.repeats++
	case unknown:
		t.unknown++
	}
}

func check(settled []porcupine.Operation) porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(model, settled, patience)
}

// judge checks the history, and draws it if it is not linearizable.
func (f *findings) judge(t testing.TB, name string, h *history) {
	t.Helper()
	settled := h.settle()
	start := time.Now()
	verdict := check(settled)
	took := time.Since(start)

	f.mu.Lock()
	defer f.mu.Unlock()
	f.histories++
	f.longest = max(f.longest, took)
	f.count(h)
	switch verdict {
	case porcupine.Ok:
	case porcupine.Unknown:
		f.undecided++
		t.Errorf("%s: no verdict within %v", name, patience)
	case porcupine.Illegal:
		f.illegal++
		if f.illegal <= pictures {
			t.Errorf("%s is not linearizable: %s", name, draw(settled))
		}
	}
}

func (f *findings) count(h *history) {
	said := h.saidYes()
	unanswered := make(map[*write]bool)
	for _, o := range h.operations {
		f.told.add(o.outcome)
		if o.call <= h.cut && h.cut < o.end {
			f.cut++
		}
		if _, nobody := o.outcome.(unknown); nobody {
			unanswered[o.write] = true
		}
	}
	for w := range unanswered {
		switch {
		case said[w]:
		case w.at != 0:
			f.resolved++
		default:
			f.forgotten++
		}
	}
}

// draw makes a picture that outlives the test, and says where it is.
func draw(settled []porcupine.Operation) string {
	_, info := porcupine.CheckOperationsVerbose(model, settled, patience)
	dir, err := os.MkdirTemp("", "linear")
	if err != nil {
		return err.Error()
	}
	path := filepath.Join(dir, "history.html")
	if err := porcupine.VisualizePath(model, info, path); err != nil {
		return err.Error()
	}
	return "see " + path
}

// report fills the table.
func (f *findings) report(t testing.TB, table *trial.Table) {
	t.Helper()
	some(t, table, "operations: publish stored", f.told.stored)
	some(t, table, "operations: publish refused, with what is there", f.told.conflicts)
	some(t, table, "operations: repeat answered as the first time", f.told.repeats)
	some(t, table, "operations: publish with unknown outcome", f.told.unknown)
	some(t, table, "operations: read of the state or the log", f.told.reads)
	some(t, table, "unknown outcomes: it was stored", f.resolved)
	some(t, table, "unknown outcomes: it was not", f.forgotten)
	table.Row("longest check of a history", "", "%v", f.longest.Round(time.Microsecond))
	table.Count("histories that are not linearizable", f.illegal)
	table.Count("histories without a verdict", f.undecided)
}

// some is a row of what must have happened, or the trial has tried little.
func some(t testing.TB, table *trial.Table, what string, n int) {
	t.Helper()
	table.Row(what, "> 0", "%d", n)
	if n == 0 {
		t.Errorf("%s: none", what)
	}
}
