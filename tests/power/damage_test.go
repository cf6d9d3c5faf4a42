package power

import (
	"math/rand/v2"
	"os"
	"slices"
)

const sector = 512

// settle decides what a cut leaves of what was not synced of a file.
func (d *disk) settle(n *inode, lost *loss) error {
	written, err := os.ReadFile(d.second(n))
	if err != nil {
		return err
	}
	left, whole := leave(n.dirty, written, d.random)
	bytes := missing(n.dirty, written, left)
	lost.bytes += bytes
	lost.torn = lost.torn || n.wal && !whole && bytes > 0
	return os.WriteFile(d.second(n), left, 0o600)
}

// leave is a content between what was synced and what was written. It is whole if
// it is one of the two.
func leave(dirty []stretch, written []byte, random *rand.Rand) (content []byte, whole bool) {
	synced := undo(dirty, written)
	switch random.IntN(5) {
	case 0:
		return synced, true
	case 1:
		return written, true
	case 2:
		return upTo(dirty, synced, written, random), false
	case 3:
		return sectors(dirty, synced, written, random), false
	default:
		return damaged(dirty, written, random), false
	}
}

// undo is the content before all that was written.
func undo(dirty []stretch, written []byte) []byte {
	content := slices.Clone(written)
	for _, s := range slices.Backward(dirty) {
		copy(content[s.from:], s.before)
		content = content[:s.size]
	}
	return content
}

// upTo has the first bytes of what was written, up to any of them.
func upTo(dirty []stretch, synced, written []byte, random *rand.Rand) []byte {
	total := int64(0)
	for _, s := range dirty {
		total += s.to - s.from
	}
	budget := random.Int64N(total + 1)
	content := synced
	for _, s := range dirty {
		n := min(budget, s.to-s.from)
		content = put(content, written, s.from, s.from+n)
		budget -= n
	}
	return content
}

// sectors has any of the sectors that were written to. Others are as they were,
// or zeros where the file has grown.
func sectors(dirty []stretch, synced, written []byte, random *rand.Rand) []byte {
	content := synced
	for _, s := range dirty {
		for from := s.from; from < s.to; {
			to := min(s.to, (from/sector+1)*sector)
			if random.IntN(2) == 0 {
				content = put(content, written, from, to)
			}
			from = to
		}
	}
	return content
}

// damaged has something else in place of what was written.
func damaged(dirty []stretch, written []byte, random *rand.Rand) []byte {
	s := dirty[random.IntN(len(dirty))]
	return hurt(written, s, random)
}

// put copies a part of the source to the same place in the content, which grows if
// it has to.
func put(content, source []byte, from, to int64) []byte {
	if from == to {
		return content
	}
	if grow := to - int64(len(content)); grow > 0 {
		content = append(content, make([]byte, grow)...)
	}
	copy(content[from:to], source[from:to])
	return content
}
