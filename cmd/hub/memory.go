package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// lookEvery is how long memory that a storm leaves behind is kept. Go gives it
	// back too, but begins only after two minutes without work, and takes long.
	lookEvery = 10 * time.Second
	// worthwhile is how much memory must be left behind otherwise.
	worthwhile = 16 << 20
)

// mindStorms lets garbage gather in a storm and gives memory back after it, until it is
// undone. Before it is called the hub must have started, which infers from how much the
// heap may grow how much of it may be in use.
func mindStorms(ctx context.Context) (undo func()) {
	p := new(pacer)
	p.watch()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer p.end()
		for look := time.NewTicker(lookEvery); ; {
			select {
			case <-ctx.Done():
				look.Stop()
				return
			case <-look.C:
			}
			// By gcPercent alone it is half as much as what is in use.
			live, rest := heap()
			if storm, over := p.look(time.Now()); over || !storm && rest > max(live*3/4, worthwhile) {
				debug.FreeOSMemory()
			}
		}
	}()
	return func() { cancel(); <-done }
}

// heap is how much of it was in use when garbage was last collected, and how much
// more the process keeps.
func heap() (live, rest uint64) {
	m := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(m)
	live = m[0].Value.Uint64()
	all := m[1].Value.Uint64() + m[2].Value.Uint64() + m[3].Value.Uint64()
	return live, all - min(all, live)
}
