package linear

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// held is what a hub holds that does one thing at a time.
type held struct {
	// head is what the order has come to: whatever is stored later has a higher
	// offset. So the offsets that clients were told of fix the order of all that
	// was stored, and the checker has only to find a place for the rest.
	head uint64
	keys [keys]entry
	// trail is a digest of all that was stored, in order, for the replay.
	trail uint64
}

// model is what the hub promises of it: what a question may be answered, and what
// is held then.
var model = porcupine.Model{
	Init: func() any { return held{} },
	Step: func(state, input, output any) (bool, any) {
		return state.(held).step(input.(*write), output.(outcome))
	},
	Hash:              func(state any) uint64 { return state.(held).trail ^ state.(held).head },
	DescribeOperation: func(input, output any) string { return describe(input.(*write), output.(outcome)) },
	DescribeState:     func(state any) string { return state.(held).String() },
}

func (h held) step(w *write, told outcome) (possible bool, after held) {
	switch told := told.(type) {
	case stored:
		if told.first != w.at || told.first <= h.head || len(h.conflicts(w)) > 0 {
			return false, h
		}
		return true, h.store(w)
	case repeated:
		return told.first == w.at && h.has(w), h
	case conflicted: // which is only looked for if it is no repeat
		conflicts := h.conflicts(w)
		return !h.has(w) && len(conflicts) > 0 && slices.Equal(told.conflicts, conflicts), h
	case snapshot:
		if told.cursor < h.head || told.keys != h.present() {
			return false, h
		}
		h.head = told.cursor
		return true, h
	case replay:
		if told.cursor < h.head || told.trail() != h.trail {
			return false, h
		}
		h.head = told.cursor
		return true, h
	case unknown: // there is none in a history that is settled
	}
	return false, h
}

// has reports whether the write is stored. All that has a place must come to be
// stored there, and can only while the order has not passed it.
func (h held) has(w *write) bool { return w.at != 0 && w.at <= h.head }

// conflicts are all conditions of the write that do not hold. They are checked
// before any of its events takes effect.
func (h held) conflicts(w *write) (all []conflict) {
	for _, c := range w.changes {
		if c.ifVersion != unconditional && c.ifVersion != h.keys[c.key].version {
			all = append(all, conflict{c.key, c.ifVersion, h.keys[c.key]})
		}
	}
	return all
}

func (h held) store(w *write) held {
	for i, c := range w.changes {
		h.head = w.at + uint64(i)
		h.keys[c.key] = entry{version: h.head, id: w.id(i), removed: c.removes}
		h.trail = sighting{h.head, w.id(i)}.follow(h.trail)
	}
	return h
}

// present are the keys as a read of the state shows them: a removed one keeps its
// version, but not there.
func (h held) present() [keys]entry {
	shown := h.keys
	for k := range shown {
		if shown[k].removed {
			shown[k] = entry{}
		}
	}
	return shown
}

func (r replay) trail() (digest uint64) {
	for _, s := range r.events {
		digest = s.follow(digest)
	}
	return digest
}

// follow is the digest with one more event.
func (s sighting) follow(digest uint64) uint64 {
	sum := fnv.New64a()
	fmt.Fprint(sum, digest, " ", s.offset, " ", s.id)
	return sum.Sum64()
}

func (h held) String() string {
	var b strings.Builder
	for k, e := range h.keys {
		fmt.Fprintf(&b, "%v: %v; ", key(k), e)
	}
	fmt.Fprintf(&b, "head %d", h.head)
	return b.String()
}

func (e entry) String() string {
	switch {
	case e.version == 0:
		return "nothing"
	case e.removed:
		return fmt.Sprintf("removed at %d by %s", e.version, e.id)
	default:
		return fmt.Sprintf("%s at %d", e.id, e.version)
	}
}

func (c change) String() string {
	does := "set"
	if c.removes {
		does = "remove"
	}
	if c.ifVersion == unconditional {
		return fmt.Sprintf("%s %v", does, c.key)
	}
	return fmt.Sprintf("%s %v if %d", does, c.key, c.ifVersion)
}

// describe is an operation in a picture.
func describe(w *write, told outcome) string {
	asked := "read"
	if w != nil {
		asked = fmt.Sprintf("%d: %v", w.number, w.changes)
	}
	switch told := told.(type) {
	case stored:
		return fmt.Sprintf("%s → stored at %d", asked, told.first)
	case repeated:
		return fmt.Sprintf("%s → repeat of %d", asked, told.first)
	case conflicted:
		for _, c := range told.conflicts {
			asked += fmt.Sprintf(" → %v is %v", c.key, c.entry)
		}
	case snapshot:
		return fmt.Sprintf("%s → %v as of %d", asked, told.keys, told.cursor)
	case replay:
		return fmt.Sprintf("%s the log → %v up to %d", asked, told.events, told.cursor)
	case unknown:
		return asked + " → ?"
	}
	return asked
}
