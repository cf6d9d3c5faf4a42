package wiring

import (
	"go.uber.org/fx"

	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
	"github.com/navehub/nave/eventlog/pebblelog"
)

// DurableLog keeps events in a directory on disk, which it makes if needed.
func DurableLog(dir string, options ...eventlog.Options) fx.Option {
	return fx.Supply(pebblelog.Opener(dir, pebblelog.Options{Options: first(options)}))
}

// MemoryLog keeps events in RAM: nothing survives the end of the process.
func MemoryLog(options ...eventlog.Options) fx.Option {
	return fx.Supply(memlog.Opener(first(options)))
}

// Extension adds an actor of the application's own; see hub.Extension.
func Extension(e hub.Extension) fx.Option {
	return fx.Supply(fx.Annotate(e, fx.ResultTags(`group:"nave.extensions"`)))
}

func first(options []eventlog.Options) eventlog.Options {
	if len(options) == 0 {
		return eventlog.Options{}
	}
	return options[0]
}
