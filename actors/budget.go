package actors

import "sync/atomic"

// A Budget is bytes that many mailboxes share: a message waits in a mailbox only
// while the budget has room for it. It is safe for use by many goroutines.
type Budget struct {
	max  int64
	used atomic.Int64
}

// NewBudget returns a budget of max bytes.
func NewBudget(max int64) *Budget { return &Budget{max: max} }

// Used is the bytes waiting now. It exceeds the budget at most by one message of
// each mailbox that has [Limits.First].
func (b *Budget) Used() int64 { return b.used.Load() }

func (b *Budget) take(n int64) bool {
	if b == nil {
		return true
	}
	for {
		used := b.used.Load()
		if n > b.max-used {
			return false
		}
		if b.used.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

// force takes what may not be there.
func (b *Budget) force(n int64) {
	if b != nil {
		b.used.Add(n)
	}
}

func (b *Budget) give(n int64) {
	if b != nil {
		b.used.Add(-n)
	}
}
