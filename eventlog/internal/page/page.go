// Package page puts events together into pages that end where batches end.
package page

import (
	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// The limits of a page when the caller names none: enough to make reading cheap
// and little enough to hold for each of many readers at once.
const (
	DefaultEvents = 256
	DefaultBytes  = 1 << 20
)

// Bounded is the limit with its defaults applied.
func Bounded(limit eventlog.Limit) eventlog.Limit {
	if limit.Events <= 0 {
		limit.Events = DefaultEvents
	}
	if limit.Bytes <= 0 {
		limit.Bytes = DefaultBytes
	}
	return limit
}

// A Builder gathers events, oldest first, into a page.
type Builder struct {
	limit eventlog.Limit
	bytes int
	end   uint64 // of the newest batch taken
	full  bool
	page  eventlog.Page
}

// NewBuilder starts an empty page.
func NewBuilder(limit eventlog.Limit) *Builder {
	return &Builder{limit: Bounded(limit)}
}

// Add takes the next event, or refuses it if the page was full with the batch
// before; then the page is done and has more after it.
func (b *Builder) Add(e nave.Event) bool {
	if b.full && e.Offset > b.end {
		b.page.Next, b.page.More = b.end, true
		return false
	}
	b.page.Events = append(b.page.Events, e)
	b.bytes += e.Size()
	b.end = e.Offset + uint64(e.Batch.N-1-e.Batch.I)
	b.full = len(b.page.Events) >= b.limit.Events || b.bytes >= b.limit.Bytes
	return true
}

// Page is what was gathered. If no event was refused, it says everything up to
// the offset.
func (b *Builder) Page(upTo uint64) eventlog.Page {
	if !b.page.More {
		b.page.Next = upTo
	}
	return b.page
}

// Merge makes one page of two that hold different events of the same stretch
// and were made with this limit.
func Merge(x, y eventlog.Page, limit eventlog.Limit) eventlog.Page {
	if len(x.Events) == 0 && !x.More {
		return y
	}
	if len(y.Events) == 0 && !y.More {
		return x
	}
	// Beyond the shorter stretch, one of them does not say everything.
	upTo := min(x.Next, y.Next)
	b := NewBuilder(limit)
	for xs, ys := x.Events, y.Events; ; {
		from := &xs
		if len(xs) == 0 || len(ys) > 0 && ys[0].Offset < xs[0].Offset {
			from = &ys
		}
		if len(*from) == 0 || (*from)[0].Offset > upTo {
			break
		}
		if !b.Add((*from)[0]) {
			break
		}
		*from = (*from)[1:]
	}
	merged := b.Page(upTo)
	merged.More = merged.More || x.More || y.More
	return merged
}
