package linear

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/navehub/nave/eventlog"
)

// breaking makes a log that breaks now and then, and the gate that is open while
// it works. A write that fails is stored or not, and nobody knows.
type breaking struct {
	open   eventlog.Opener
	oneIn  int // writes that fail, 0 for none
	rand   *rand.Rand
	broken int

	up gate
}

// Open is an eventlog.Opener.
func (b *breaking) Open(ctx context.Context) (eventlog.Log, error) {
	log, err := b.open(ctx)
	if err != nil {
		return nil, err
	}
	b.up.open()
	return &brittle{log, b}, nil
}

// brittle is the log while it works. It has one writer, as all logs have.
type brittle struct {
	eventlog.Log
	*breaking
}

var errBreaks = errors.New("the disk has made a strange noise")

func (l *brittle) Append(ctx context.Context, group []eventlog.Batch) ([]eventlog.Outcome, error) {
	if l.oneIn == 0 || l.rand.IntN(l.oneIn) > 0 {
		return l.Log.Append(ctx, group)
	}
	if l.rand.IntN(2) == 0 {
		if _, err := l.Log.Append(ctx, group); err != nil {
			return nil, err
		}
	}
	l.broken++
	l.up.shut()
	return nil, errBreaks
}
