package registry

import (
	"errors"
	"time"

	"github.com/hashicorp/go-memdb"
)

// write is the writer's goroutine: the only one that changes the tables. It
// sleeps, without a timer, while nothing is put.
func (r *Registry) write() {
	defer close(r.done)
	for {
		select {
		case <-r.dirty:
		case <-r.quit:
			r.flush()
			return
		}
		gather := time.NewTimer(r.flushEvery)
		select {
		case <-gather.C:
		case <-r.quit:
			gather.Stop()
		}
		r.flush()
	}
}

// flush writes what has gathered as one transaction.
func (r *Registry) flush() {
	r.mu.Lock()
	pending := r.pending
	r.pending = nil // not cleared for reuse: a map never gives back what a storm made it grow to
	r.mu.Unlock()
	if len(pending) == 0 {
		return
	}
	txn := r.db.Txn(true)
	for id, row := range pending {
		if row != nil {
			check(txn.Insert(id.table, row))
		} else if err := txn.Delete(id.table, id); !errors.Is(err, memdb.ErrNotFound) {
			check(err) // not found: it came and went between two writes
		}
	}
	txn.Commit()
}

// check panics: memdb's errors are about tables, indexes and types, which are
// fixed here, so an error is a defect of this package.
func check(err error) {
	if err != nil {
		panic("registry: " + err.Error())
	}
}
