package linear

import (
	"testing"

	"github.com/anishathalye/porcupine"
)

const a, b, c = key(0), key(1), key(2)

// A tale is a history written by hand.
type tale struct{ history }

// write is a publish of these changes.
func (s *tale) write(changes ...change) *write {
	w := &write{number: len(s.writes), changes: changes}
	s.writes = append(s.writes, w)
	return w
}

// told says what the hub answered to a publish, or to a read if w is nil, that
// began and ended at these moments.
func (s *tale) told(call, end int64, w *write, o outcome) {
	s.operations = append(s.operations, operation{len(s.operations), call, end, w, o})
}

// ends tells what the log holds in the end.
func (s *tale) ends(events ...sighting) {
	s.told(1000, 1001, nil, replay{1000, events})
}

func set(k key) change                { return change{key: k, ifVersion: unconditional} }
func setIf(k key, v uint64) change    { return change{key: k, ifVersion: v} }
func remove(k key) change             { return change{key: k, ifVersion: unconditional, removes: true} }
func removeIf(k key, v uint64) change { return change{key: k, ifVersion: v, removes: true} }

func at(offset uint64, id string) sighting { return sighting{offset, id} }

// shows is a state with this in a and nothing elsewhere.
func shows(cursor, version uint64, id string) snapshot {
	return snapshot{cursor, [keys]entry{{version: version, id: id}}}
}

func nothing(cursor uint64) snapshot { return snapshot{cursor: cursor} }

// holds refuses a condition, as the key holds something else.
func holds(k key, ifVersion, version uint64, id string) conflicted {
	return conflicted{[]conflict{{k, ifVersion, entry{version: version, id: id}}}}
}

type tales []struct {
	name string
	tell func(s *tale)
}

func (all tales) must(t *testing.T, want porcupine.CheckResult) {
	t.Helper()
	for _, each := range all {
		t.Run(each.name, func(t *testing.T) {
			var s tale
			each.tell(&s)
			settled := s.settle()
			if got := check(settled); got != want {
				t.Errorf("the history is %v, want %v", got, want)
				for _, o := range settled {
					t.Logf("%4d–%4d %s", o.Call, o.Return, model.DescribeOperation(o.Input, o.Output))
				}
			}
		})
	}
}

func TestWhatIsLinearizable(t *testing.T) {
	tales{
		{"one after the other", func(s *tale) {
			s.told(1, 2, s.write(setIf(a, 0)), stored{5})
			s.told(3, 4, s.write(setIf(a, 5)), stored{7})
			s.told(5, 6, s.write(setIf(a, 5)), holds(a, 5, 7, "1.0"))
			s.told(7, 8, nil, shows(7, 7, "1.0"))
			s.ends(at(5, "0.0"), at(7, "1.0"))
		}},
		{"a read beside a write sees it or not", func(s *tale) {
			s.told(1, 9, s.write(set(a)), stored{5})
			s.told(2, 3, nil, nothing(4))
			s.told(4, 5, nil, shows(5, 5, "0.0"))
			s.ends(at(5, "0.0"))
		}},
		{"a conflict beside another write tells of before", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 6, s.write(set(a)), stored{6})
			s.told(4, 5, s.write(setIf(a, 0)), holds(a, 0, 5, "0.0"))
			s.ends(at(5, "0.0"), at(6, "1.0"))
		}},
		{"a removed key keeps its version", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 4, s.write(removeIf(a, 5)), stored{6})
			s.told(5, 6, nil, nothing(6))
			s.told(7, 8, s.write(setIf(a, 0)), conflicted{[]conflict{{a, 0, entry{6, "1.0", true}}}})
			s.told(9, 10, s.write(setIf(a, 6)), stored{7})
			s.ends(at(5, "0.0"), at(6, "1.0"), at(7, "3.0"))
		}},
		{"a batch, and a repeat of it", func(s *tale) {
			w := s.write(setIf(a, 0), setIf(c, 0))
			s.told(1, 2, w, stored{5})
			s.told(3, 4, w, repeated{5})
			s.told(5, 6, nil, snapshot{9, [keys]entry{a: {5, "0.0", false}, c: {6, "0.1", false}}})
			s.ends(at(5, "0.0"), at(6, "0.1"))
		}},
		{"conditions of a batch are checked before it", func(s *tale) {
			s.told(1, 2, s.write(setIf(a, 0), setIf(a, 0)), stored{5})
			s.told(3, 4, nil, shows(6, 6, "0.1"))
			s.ends(at(5, "0.0"), at(6, "0.1"))
		}},
		{"a refusal is not remembered", func(s *tale) {
			w := s.write(setIf(a, 5))
			s.told(1, 2, w, holds(a, 5, 0, ""))
			s.told(3, 4, s.write(set(a)), stored{5})
			s.told(5, 6, w, stored{6})
			s.ends(at(5, "1.0"), at(6, "0.0"))
		}},
	}.must(t, porcupine.Ok)
}

func TestWhatIsNotLinearizable(t *testing.T) {
	tales{
		{"a lost update: both hear yes", func(s *tale) {
			s.told(1, 4, s.write(setIf(a, 0)), stored{5})
			s.told(2, 3, s.write(setIf(a, 0)), stored{6})
			s.ends(at(5, "0.0"), at(6, "1.0"))
		}},
		{"a stale read", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 4, s.write(set(a)), stored{6})
			s.told(5, 6, nil, shows(5, 5, "0.0"))
			s.ends(at(5, "0.0"), at(6, "1.0"))
		}},
		{"a stale read as of a cursor that is not", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 4, nil, nothing(5))
			s.ends(at(5, "0.0"))
		}},
		{"two reads that go back in time", func(s *tale) {
			s.told(1, 9, s.write(set(a)), stored{5})
			s.told(2, 3, nil, shows(5, 5, "0.0"))
			s.told(4, 5, nil, nothing(4))
			s.ends(at(5, "0.0"))
		}},
		{"a cursor past what comes after it", func(s *tale) {
			s.told(1, 9, s.write(set(a)), stored{5})
			s.told(2, 3, nil, nothing(7))
			s.ends(at(5, "0.0"))
		}},
		{"half of a batch", func(s *tale) {
			s.told(1, 9, s.write(set(a), set(b)), stored{5})
			s.told(2, 3, nil, shows(5, 5, "0.0"))
			s.ends(at(5, "0.0"), at(6, "0.1"))
		}},
		{"a removed key is there", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 4, s.write(remove(a)), stored{6})
			s.told(5, 6, nil, shows(6, 5, "0.0"))
			s.ends(at(5, "0.0"), at(6, "1.0"))
		}},
		{"a removed key has no version", func(s *tale) {
			s.told(1, 2, s.write(remove(a)), stored{5})
			s.told(3, 4, s.write(setIf(a, 0)), stored{6})
			s.ends(at(5, "0.0"), at(6, "1.0"))
		}},
		{"an order against time", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{6})
			s.told(3, 4, s.write(set(b)), stored{5})
			s.ends(at(5, "1.0"), at(6, "0.0"))
		}},
		{"an offset that is given twice", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 4, s.write(set(b)), stored{5})
			s.ends(at(5, "0.0"), at(5, "1.0"))
		}},
		{"a yes that the log does not have", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 4, s.write(set(a)), stored{6})
			s.ends(at(6, "1.0"))
		}},
		{"an event that nobody published", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.ends(at(5, "0.0"), at(6, "7.0"))
		}},
	}.must(t, porcupine.Illegal)
}

func TestConflictsThatAreNot(t *testing.T) {
	tales{
		{"with a version that never was", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 4, s.write(setIf(a, 0)), holds(a, 0, 4, "0.0"))
			s.ends(at(5, "0.0"))
		}},
		{"with the event of another version", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 4, s.write(set(a)), stored{6})
			s.told(5, 6, s.write(setIf(a, 0)), holds(a, 0, 6, "0.0"))
			s.ends(at(5, "0.0"), at(6, "1.0"))
		}},
		{"with a version that is no more", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 4, s.write(set(a)), stored{6})
			s.told(5, 6, s.write(setIf(a, 0)), holds(a, 0, 5, "0.0"))
			s.ends(at(5, "0.0"), at(6, "1.0"))
		}},
		{"although the condition holds", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 4, s.write(setIf(a, 5)), holds(a, 5, 5, "0.0"))
			s.ends(at(5, "0.0"))
		}},
		{"of a write that appears", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 4, s.write(setIf(a, 0)), holds(a, 0, 5, "0.0"))
			s.told(5, 6, nil, shows(6, 6, "1.0"))
			s.ends(at(5, "0.0"), at(6, "1.0"))
		}},
		{"of a write that appears in the log alone", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 4, s.write(setIf(a, 0)), holds(a, 0, 5, "0.0"))
			s.ends(at(5, "0.0"), at(6, "1.0"))
		}},
		{"of which one is not told", func(s *tale) {
			s.told(1, 2, s.write(set(a), set(b)), stored{5})
			s.told(3, 4, s.write(setIf(a, 0), setIf(b, 0)), holds(a, 0, 5, "0.0"))
			s.ends(at(5, "0.0"), at(6, "0.1"))
		}},
		{"and only the first condition of a batch holds", func(s *tale) {
			s.told(1, 2, s.write(set(b)), stored{5})
			s.told(3, 4, s.write(setIf(a, 0), setIf(b, 0)), stored{6})
			s.ends(at(5, "0.0"), at(6, "1.0"), at(7, "1.1"))
		}},
	}.must(t, porcupine.Illegal)
}

func TestRepeatsThatAreNot(t *testing.T) {
	tales{
		{"a repeat is stored again", func(s *tale) {
			w := s.write(set(a))
			s.told(1, 2, w, stored{5})
			s.told(3, 4, w, stored{6})
			s.ends(at(5, "0.0"), at(6, "0.0"))
		}},
		{"a repeat has another place", func(s *tale) {
			w := s.write(set(a))
			s.told(1, 2, w, stored{5})
			s.told(3, 4, w, repeated{6})
			s.ends(at(5, "0.0"))
		}},
		{"a repeat is refused for what it has done itself", func(s *tale) {
			w := s.write(setIf(a, 0))
			s.told(1, 2, w, stored{5})
			s.told(3, 4, w, holds(a, 0, 5, "0.0"))
			s.ends(at(5, "0.0"))
		}},
		{"a repeat of what was never stored", func(s *tale) {
			w := s.write(setIf(a, 3))
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 4, w, holds(a, 3, 5, "1.0"))
			s.told(5, 6, w, repeated{5})
			s.ends(at(5, "1.0"))
		}},
		{"a try without answer is stored, and the next one too", func(s *tale) {
			w := s.write(set(a))
			s.told(1, 2, w, unknown{})
			s.told(3, 4, w, stored{6})
			s.ends(at(5, "0.0"), at(6, "0.0"))
		}},
	}.must(t, porcupine.Illegal)
}

func TestUnknownOutcomes(t *testing.T) {
	tales{
		{"it was stored", func(s *tale) {
			s.told(1, 2, s.write(setIf(a, 0)), unknown{})
			s.told(3, 4, nil, shows(5, 5, "0.0"))
			s.ends(at(5, "0.0"))
		}},
		{"it was never stored", func(s *tale) {
			s.told(1, 2, s.write(setIf(a, 0)), unknown{})
			s.told(3, 4, s.write(setIf(a, 0)), stored{5})
			s.ends(at(5, "1.0"))
		}},
		{"it was stored later", func(s *tale) {
			s.told(1, 2, s.write(set(a)), unknown{})
			s.told(3, 4, nil, nothing(4))
			s.told(5, 6, s.write(setIf(a, 0)), stored{5})
			s.told(7, 8, nil, shows(6, 6, "0.0"))
			s.ends(at(5, "1.0"), at(6, "0.0"))
		}},
		{"it was stored, and only the log shows it", func(s *tale) {
			s.told(1, 2, s.write(set(a)), unknown{})
			s.told(3, 4, s.write(set(a)), stored{6})
			s.told(5, 6, nil, shows(6, 6, "1.0"))
			s.ends(at(5, "0.0"), at(6, "1.0"))
		}},
		{"a removal shows in what is not there", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 4, s.write(remove(a)), unknown{})
			s.told(5, 6, nil, nothing(6))
			s.ends(at(5, "0.0"), at(6, "1.0"))
		}},
		{"a later try hears of it", func(s *tale) {
			w := s.write(setIf(a, 0))
			s.told(1, 2, w, unknown{})
			s.told(3, 4, s.write(setIf(a, 5)), stored{6})
			s.told(5, 6, w, repeated{5})
			s.ends(at(5, "0.0"), at(6, "1.0"))
		}},
		{"a later try is the one", func(s *tale) {
			w := s.write(set(a))
			s.told(1, 2, w, unknown{})
			s.told(3, 4, w, unknown{})
			s.told(5, 6, nil, nothing(4))
			s.told(7, 8, w, stored{5})
			s.ends(at(5, "0.0"))
		}},
		{"a later try is refused before the first is stored", func(s *tale) {
			w := s.write(setIf(a, 5))
			s.told(1, 2, w, unknown{})
			s.told(3, 4, w, holds(a, 5, 0, ""))
			s.told(5, 6, s.write(set(a)), stored{5})
			s.told(7, 8, nil, shows(6, 6, "0.0"))
			s.ends(at(5, "1.0"), at(6, "0.0"))
		}},
	}.must(t, porcupine.Ok)
}

func TestUnknownOutcomesThatCannotBe(t *testing.T) {
	tales{
		{"it was stored before it was asked for", func(s *tale) {
			s.told(1, 2, nil, shows(5, 5, "0.0"))
			s.told(3, 4, s.write(set(a)), unknown{})
			s.ends(at(5, "0.0"))
		}},
		{"it was there and is gone", func(s *tale) {
			s.told(1, 2, s.write(set(a)), unknown{})
			s.told(3, 4, nil, shows(5, 5, "0.0"))
			s.told(5, 6, nil, nothing(6))
			s.ends(at(5, "0.0"))
		}},
		{"it was there and is not in the log", func(s *tale) {
			s.told(1, 2, s.write(set(a)), unknown{})
			s.told(3, 4, nil, shows(5, 5, "0.0"))
			s.ends()
		}},
		{"it was stored although its condition did not hold", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 4, s.write(setIf(a, 0)), unknown{})
			s.ends(at(5, "0.0"), at(6, "1.0"))
		}},
		{"half of it was stored", func(s *tale) {
			s.told(1, 2, s.write(set(a), set(b)), unknown{})
			s.ends(at(5, "0.0"))
		}},
		{"a later try is refused by what the first has stored", func(s *tale) {
			w := s.write(setIf(a, 0))
			s.told(1, 2, w, unknown{})
			s.told(3, 4, w, holds(a, 0, 5, "0.0"))
			s.ends(at(5, "0.0"))
		}},
		{"a removal of which the log knows nothing", func(s *tale) {
			s.told(1, 2, s.write(set(a)), stored{5})
			s.told(3, 4, s.write(remove(a)), unknown{})
			s.told(5, 6, nil, nothing(6))
			s.ends(at(5, "0.0"))
		}},
	}.must(t, porcupine.Illegal)
}
