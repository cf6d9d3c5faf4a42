package power

import (
	"fmt"
	"sync"

	"github.com/navehub/nave/tests/history"
	"github.com/navehub/nave/tests/trial"
)

// A tally adds up what happened over all seeds, in the order of its first time.
type tally struct {
	mu     sync.Mutex
	order  []string
	counts map[string]int64
	must   map[string]bool // be 0
}

// What is counted of the cuts, beside what the history counts.
const (
	rowSeeds      = "seeds"
	rowCuts       = "power cuts"
	rowStarts     = "of which before anything was answered"
	rowTorn       = "of which tore a WAL"
	rowBytes      = "bytes lost, written and not synced"
	rowNames      = "changes of directories lost"
	rowTables     = "tables written by flushes and compactions"
	rowTrims      = "seeds in which retention took events"
	rowUnanswered = "publishes left without an answer by a cut"
	rowStored     = "of which had been stored, as their repeats show"
	rowShown      = "events shown by state, or without a cursor before a cut"
	rowResets     = "readers of memory topics, or behind retention, told so by a reset"
	rowStates     = "keys whose state was checked"
)

func newTally() *tally {
	t := &tally{counts: make(map[string]int64), must: make(map[string]bool)}
	for _, row := range []string{rowSeeds, rowCuts, rowStarts, rowTorn, rowBytes, rowNames, rowTables, rowTrims} {
		t.add(row, 0)
	}
	var none history.Findings
	none.Describe(t)
	for _, row := range []string{rowUnanswered, rowStored, rowShown, rowResets, rowStates} {
		t.add(row, 0)
	}
	none.Count(t)
	for _, row := range faults {
		t.Count(row, 0)
	}
	return t
}

// history adds what a history found.
func (t *tally) history(found *history.Findings) {
	found.Describe(t)
	found.Count(t)
}

func (t *tally) add(what string, n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.counts[what]; !known {
		t.order = append(t.order, what)
	}
	t.counts[what] += n
}

// Row takes a figure of a history.
func (t *tally) Row(what, _, _ string, args ...any) { t.add(what, int64(args[0].(int))) }

// Count takes a figure of a history that must be 0.
func (t *tally) Count(what string, n int) {
	t.add(what, int64(n))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.must[what] = true
}

func (t *tally) write(table *trial.Table) {
	for _, what := range t.order {
		if t.must[what] {
			table.Count(what, int(t.counts[what]))
		} else {
			table.Row(what, "", "%s", grouped(t.counts[what]))
		}
	}
}

// grouped sets a space between thousands.
func grouped(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s %03d", grouped(n/1000), n%1000)
}
