package linear

import (
	"context"
	"errors"

	"github.com/navehub/nave"
	stream "github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/frame"
)

// local is a hub in this process.
type local struct {
	*hub.Hub
	up *gate
}

func (l local) State(ctx context.Context, filter nave.Filter) (nave.Cursor, []nave.Event, error) {
	s, err := l.Hub.State(ctx, nave.Filters{filter})
	if err != nil {
		return nave.Cursor{}, nil, err
	}
	defer s.Close()
	var items []nave.Event
	for e, err := range s.Events() {
		if err != nil {
			return nave.Cursor{}, nil, err
		}
		e.ID = "" // which HTTP does not tell either
		items = append(items, e)
	}
	return nave.Cursor{Epoch: l.Epoch(), Offset: s.Offset()}, items, nil
}

func (l local) Page(ctx context.Context, filter nave.Filter, after nave.Cursor) (nave.Cursor, []nave.Event, error) {
	page, err := l.Poll(ctx, stream.Request{Filters: nave.Filters{filter}, Cursor: after.String()}, 0)
	if err == nil && page.Sync.Status != frame.Recovered {
		err = errors.New("the log cannot be read from where the history began")
	}
	events := make([]nave.Event, len(page.Frames))
	for i, f := range page.Frames {
		events[i] = f.Event
	}
	return page.Cursor, events, err
}

func (l local) Await(ctx context.Context) error { return l.up.await(ctx) }
