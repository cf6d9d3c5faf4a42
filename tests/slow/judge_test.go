//go:build linux

package slow

import (
	"slices"
	"strings"
	"testing"
)

// told is one thing that a slow client was told: an event, or a verdict.
type told struct {
	offset uint64 // of an event
	n      int
	sync   string // a verdict, with the offset of its cursor
	to     uint64
}

// findings are what became of slow clients.
type findings struct {
	resets  int // verdicts that something is missing
	lost    int // events that are missing without a word
	double  int // events that came again, or late
	foreign int // events that nobody has published
}

func (f *findings) add(more findings) {
	f.resets += more.resets
	f.lost += more.lost
	f.double += more.double
	f.foreign += more.foreign
}

// judge compares what a client was told over all its connections with all that was
// published up to the offset end. It must have everything from where it began, or
// from where a reset has put it, once and in order.
func judge(log []told, all []published, end uint64) (f findings) {
	next := 0 // the index of what must come
	for _, m := range log {
		switch {
		case m.sync == "live":
			next = after(all, m.to)
		case strings.HasPrefix(m.sync, "reset"):
			f.resets++
			next = after(all, m.to)
		case m.sync != "": // recovered: from where it was
		default:
			at := after(all, m.offset) - 1
			switch {
			case at < 0 || all[at].offset != m.offset || all[at].n != m.n:
				f.foreign++
				continue
			case at < next:
				f.double++
				continue
			}
			f.lost += at - next
			next = at + 1
		}
	}
	f.lost += max(0, after(all, end)-next)
	return f
}

// after is the index of the first event after an offset.
func after(all []published, offset uint64) int {
	i, found := slices.BinarySearchFunc(all, offset, func(p published, offset uint64) int {
		switch {
		case p.offset < offset:
			return -1
		case p.offset > offset:
			return 1
		}
		return 0
	})
	if found {
		i++
	}
	return i
}

func TestJudge(t *testing.T) {
	all := []published{{offset: 2, n: 1}, {offset: 3, n: 3}, {offset: 5, n: 2}, {offset: 8, n: 4}, {offset: 9, n: 5}}
	event := func(offset uint64, n int) told { return told{offset: offset, n: n} }
	live, recovered := told{sync: "live", to: 2}, told{sync: "recovered"}
	for name, c := range map[string]struct {
		log  []told
		want findings
	}{
		"everything":             {[]told{live, event(3, 3), event(5, 2), event(8, 4)}, findings{}},
		"and more":               {[]told{live, event(3, 3), event(5, 2), event(8, 4), event(9, 5)}, findings{}},
		"over two connections":   {[]told{live, event(3, 3), recovered, event(5, 2), event(8, 4)}, findings{}},
		"a gap":                  {[]told{live, event(3, 3), event(8, 4)}, findings{lost: 1}},
		"a gap in between":       {[]told{live, recovered, event(5, 2), event(8, 4)}, findings{lost: 1}},
		"the last is missing":    {[]told{live, event(3, 3), event(5, 2)}, findings{lost: 1}},
		"nothing came":           {[]told{live}, findings{lost: 3}},
		"twice":                  {[]told{live, event(3, 3), recovered, event(3, 3), event(5, 2), event(8, 4)}, findings{double: 1}},
		"told, at the connect":   {[]told{live, event(3, 3), {sync: "reset retention", to: 5}, event(8, 4)}, findings{resets: 1}},
		"told, and then a gap":   {[]told{live, {sync: "reset retention", to: 3}, event(8, 4)}, findings{resets: 1, lost: 1}},
		"told, past the end":     {[]told{live, {sync: "reset retention", to: 9}}, findings{resets: 1}},
		"an event of nobody's":   {[]told{live, event(3, 3), event(4, 9), event(5, 2), event(8, 4)}, findings{foreign: 1}},
		"another at that offset": {[]told{live, event(3, 1), event(5, 2), event(8, 4)}, findings{foreign: 1, lost: 1}},
	} {
		if got := judge(c.log, all, 8); got != c.want {
			t.Errorf("%s: found %+v, want %+v", name, got, c.want)
		}
	}
}
