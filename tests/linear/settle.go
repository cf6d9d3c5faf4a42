package linear

import (
	"strconv"
	"strings"

	"github.com/anishathalye/porcupine"
)

// settle gives every write its place in the log, and makes of the history what the
// checker can judge.
//
// A publish without answer may have been stored at any time since it was tried, or
// never. Which it was is known in the end: the replay, if not somebody before,
// shows it at its offset, and then it is an operation that was answered with this
// offset after everything else. What the replay does not have was stored by
// nobody before it, so it had no effect on any answer, and is left out. Tries of
// one write have one effect together: one that nobody answered can only have
// stored it if none was answered with yes, and may have from the first of them on.
func (h *history) settle() []porcupine.Operation {
	h.place()
	settled := make([]porcupine.Operation, 0, len(h.operations))
	first := make(map[*write]operation) // of the tries without answer
	rows, end := 0, int64(0)
	for _, o := range h.operations {
		rows, end = max(rows, o.client+1), max(end, o.end+1)
		if _, nobody := o.outcome.(unknown); !nobody {
			settled = append(settled, checkable(o))
		} else if before, tried := first[o.write]; !tried || o.call < before.call {
			first[o.write] = o
		}
	}
	said := h.saidYes()
	for _, w := range h.writes {
		o, tried := first[w]
		if !tried || w.at == 0 || said[w] {
			continue
		}
		o.client, o.end, o.outcome = rows, end, stored{w.at} // a row of its own in the picture
		rows++
		settled = append(settled, checkable(o))
	}
	return settled
}

func checkable(o operation) porcupine.Operation {
	return porcupine.Operation{ClientId: o.client, Input: o.write, Call: o.call, Output: o.outcome, Return: o.end}
}

// saidYes are the writes of which the hub said that it has stored them now.
func (h *history) saidYes() map[*write]bool {
	said := make(map[*write]bool)
	for _, o := range h.operations {
		if _, yes := o.outcome.(stored); yes {
			said[o.write] = true
		}
	}
	return said
}

// place sets where each write was seen, if any try of it can have put it there. A
// write that was seen in two places cannot be in both, whichever is taken.
func (h *history) place() {
	may := h.saidYes()
	for _, o := range h.operations {
		if _, nobody := o.outcome.(unknown); nobody {
			may[o.write] = true
		}
	}
	for _, w := range h.writes {
		w.at = 0
	}
	for _, o := range h.operations {
		for _, s := range o.sightings() {
			w, first := h.whose(s)
			if w != nil && may[w] && (w.at == 0 || first < w.at) {
				w.at = first
			}
		}
	}
}

// sightings are the events that the outcome shows.
func (o *operation) sightings() (all []sighting) {
	switch told := o.outcome.(type) {
	case stored:
		all = append(all, sighting{told.first, o.write.id(0)})
	case repeated:
		all = append(all, sighting{told.first, o.write.id(0)})
	case conflicted:
		for _, c := range told.conflicts {
			all = append(all, sighting{c.entry.version, c.entry.id})
		}
	case snapshot:
		for _, e := range told.keys {
			all = append(all, sighting{e.version, e.id})
		}
	case replay:
		all = told.events
	case unknown:
	}
	return all
}

// whose is the write that the event is of, and where its first event must be then;
// nil if it is of none.
func (h *history) whose(s sighting) (w *write, first uint64) {
	number, i, _ := strings.Cut(s.id, ".")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n >= len(h.writes) {
		return nil, 0
	}
	at, err := strconv.ParseUint(i, 10, 64)
	if err != nil || at >= s.offset {
		return nil, 0
	}
	return h.writes[n], s.offset - at
}
