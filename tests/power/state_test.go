package power

import "fmt"

// differences says where the state that was found is not what it must be.
func (w *world) differences(found map[entity]stand) (all []string) {
	for of, known := range w.latest {
		got, there := found[of]
		switch {
		case got == known, !there && known.tombstone:
		case there && got.offset > known.offset && w.mayBe(of, got.id):
		default:
			all = append(all, fmt.Sprintf("%s in %s is %+v, want %+v", of.key, of.topic, got, known))
		}
	}
	for of, got := range found {
		if _, known := w.latest[of]; !known && !w.mayBe(of, got.id) {
			all = append(all, fmt.Sprintf("%s in %s is %+v, which nobody has stored", of.key, of.topic, got))
		}
	}
	return all
}

// mayBe reports whether the event may be stored though nobody has seen it, as
// retention may have taken it.
func (w *world) mayBe(of entity, id string) bool {
	e := w.events[id]
	return w.retention && e != nil && e.Topic == of.topic && e.Key == of.key && !e.attempt.acked
}
