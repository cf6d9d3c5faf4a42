package wiring

import (
	"strconv"

	"go.uber.org/fx"

	"github.com/navehub/nave/actors/breaker"
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

// Breaker adds a circuit breaker of the application's own. It is provided as a
// *breaker.Breaker of that name, and found by it with hub.Hub.Breaker:
//
//	type params struct {
//		fx.In
//		Mail *breaker.Breaker `name:"mail"`
//	}
func Breaker(c breaker.Config) fx.Option {
	name := "name:" + strconv.Quote(c.Name)
	return fx.Provide(
		fx.Annotate(func() *breaker.Breaker { return breaker.New(c) }, fx.ResultTags(name)),
		fx.Annotate(func(b *breaker.Breaker) *breaker.Breaker { return b }, fx.ParamTags(name), fx.ResultTags(`group:"nave.breakers"`)),
	)
}

func first(options []eventlog.Options) eventlog.Options {
	if len(options) == 0 {
		return eventlog.Options{}
	}
	return options[0]
}
