package history

import "fmt"

// Findings are what happened, and what should not have.
type Findings struct {
	// Publishes, by outcome: a batch counts once. Refused are those that were
	// refused for something else than a condition, Conflicts for that.
	Acked, Unknown, Refused, Conflicts int
	// Repeats are the times that a yes was given once more.
	Repeats int
	// Stored is how many events are known to be stored: by a yes, or since
	// somebody saw them. Deliveries is how many were seen, over all subscribers.
	Stored, Deliveries int

	// Lost: stored and followed, and not seen by a subscriber.
	Lost int
	// Double: an id or an offset that one subscriber saw twice.
	Double int
	// Disorder: seen at an offset that does not rise, or at another one than
	// another subscriber saw it at.
	Disorder int
	// Split: a batch of which a subscriber saw only a part of what it follows, or
	// not in one piece, or which a reconnect could have cut or repeated, or whose
	// offsets do not follow each other.
	Split int
	// ReusedOffset: an offset of two events.
	ReusedOffset int
	// Moved: seen at another offset than its publisher was told, or answered
	// otherwise when it was sent again.
	Moved int
	// Phantom: seen although it was refused, or as nobody sent it.
	Phantom int
	// Doubled: an id that is stored at two offsets.
	Doubled int
	// Stray: seen by a subscriber that does not follow its topic.
	Stray int
	// BrokenCondition: accepted although its key did not have the version that
	// was its condition, or refused with a version that the key never had.
	BrokenCondition int
	// Resets: verdicts of reset, and verdicts of a later connection that are not
	// recovered.
	Resets int

	// Details says the first few of each kind in sentences.
	Details []string
}

// A Table takes figures, and those that must be 0.
type Table interface {
	Row(what, must, format string, args ...any)
	Count(what string, n int)
}

// Describe adds what happened to a table.
func (f *Findings) Describe(t Table) {
	for _, row := range []struct {
		what string
		n    int
	}{
		{"publishes acknowledged", f.Acked},
		{"publishes of unknown outcome", f.Unknown},
		{"publishes refused, by their condition", f.Conflicts},
		{"publishes refused, otherwise", f.Refused},
		{"repeats answered", f.Repeats},
		{"events stored", f.Stored},
		{"deliveries", f.Deliveries},
	} {
		t.Row(row.what, "", "%d", row.n)
	}
}

// Count adds what should not have happened.
func (f *Findings) Count(t Table) {
	for _, row := range f.faults() {
		t.Count(row.what, *row.n)
	}
}

// Clean reports whether nothing happened that should not have.
func (f *Findings) Clean() bool {
	for _, row := range f.faults() {
		if *row.n != 0 {
			return false
		}
	}
	return true
}

type fault struct {
	what string
	n    *int
}

func (f *Findings) faults() []fault {
	return []fault{
		{"lost for a subscriber", &f.Lost},
		{"seen twice by a subscriber", &f.Double},
		{"out of order", &f.Disorder},
		{"batches split", &f.Split},
		{"offsets used twice", &f.ReusedOffset},
		{"not where the publisher was told", &f.Moved},
		{"seen, but refused or never sent", &f.Phantom},
		{"stored twice under one id", &f.Doubled},
		{"seen by a subscriber of other topics", &f.Stray},
		{"conditions broken", &f.BrokenCondition},
		{"resets", &f.Resets},
	}
}

// detailsEach is enough to see what went wrong, of each kind.
const detailsEach = 3

// found counts one and says so.
func (f *Findings) found(n *int, format string, args ...any) {
	*n++
	if *n <= detailsEach {
		f.Details = append(f.Details, fmt.Sprintf(format, args...))
	}
}
