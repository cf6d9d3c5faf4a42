package logtest

import (
	"context"
	"errors"

	"github.com/navehub/nave/eventlog"
)

var lifeRules = []rule{
	{says: "a closed log says so, and can be closed again", test: func(x *fixture) {
		x.add(durable(event("a")))
		x.must(x.log.Close())
		x.must(x.log.Close())
		ctx := context.Background()
		_, appendErr := x.log.Append(ctx, []eventlog.Batch{durable(event("a"))})
		_, readErr := x.log.Read(ctx, 0, everything, eventlog.Limit{})
		_, stateErr := x.log.State(ctx, everything)
		for call, err := range map[string]error{
			"append": appendErr, "read": readErr, "state": stateErr, "trim": x.log.Trim(ctx, noon),
		} {
			if !errors.Is(err, eventlog.ErrClosed) {
				x.Errorf("%s after close = %v, want %v", call, err, eventlog.ErrClosed)
			}
		}
	}},
	{says: "a fresh log has an epoch of its own", test: func(x *fixture) {
		other, err := x.open(context.Background())
		if err != nil {
			return // the place is taken, as it may be
		}
		defer other.Close()
		if other.Epoch() == x.log.Epoch() {
			x.Errorf("two logs have the epoch %s", other.Epoch())
		}
	}},
}
