package wiring

import (
	"cmp"
	"strconv"

	"go.uber.org/fx"

	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/config"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
	"github.com/navehub/nave/eventlog/pebblelog"
)

// DurableLog keeps events in a directory on disk, which it makes if needed. What is
// zero in the options is as the program has it by default: see log in
// docs/configuration.md. What is negative in a retention is without that bound.
func DurableLog(dir string, options ...eventlog.Options) fx.Option {
	return fx.Supply(pebblelog.Opener(dir, pebblelog.Options{Options: withDefaults(options)}))
}

// MemoryLog keeps events in RAM: nothing survives the end of the process.
// Its options are as those of [DurableLog].
func MemoryLog(options ...eventlog.Options) fx.Option {
	return fx.Supply(memlog.Opener(withDefaults(options)))
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

// withDefaults is the first of the options, or the zero ones, for engines: to those
// zero is without bound, which nobody who embeds the hub may get by saying nothing.
func withDefaults(options []eventlog.Options) eventlog.Options {
	o, standard := eventlog.Options{}, logOptions(config.Default().Log)
	if len(options) > 0 {
		o = options[0]
	}
	return eventlog.Options{
		Durable:           retention(o.Durable, standard.Durable),
		Memory:            retention(o.Memory, standard.Memory),
		IdempotencyWindow: cmp.Or(o.IdempotencyWindow, standard.IdempotencyWindow),
	}
}

func retention(r, standard eventlog.Retention) eventlog.Retention {
	return eventlog.Retention{Age: cmp.Or(r.Age, standard.Age), Bytes: cmp.Or(r.Bytes, standard.Bytes)}
}
