package wiring

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/config"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
	"github.com/navehub/nave/eventlog/pebblelog"
	"github.com/navehub/nave/httpapi"
	"github.com/navehub/nave/telemetry"
	"github.com/navehub/nave/telemetry/export"
)

// Program is the whole hub as a service: telemetry by the OTEL_* variables, the
// log, the hub, and its HTTP server. It provides [Address], where it listens.
func Program(cfg config.Config, version string, logs slog.Handler) fx.Option {
	return fx.Options(
		fx.Supply(cfg, hubConfig(cfg)),
		fx.Provide(
			func(m Metrics) httpapi.Config { return httpConfig(cfg, m) },
			readAccess,
			func(lc fx.Lifecycle) (Telemetry, error) { return startTelemetry(lc, cfg, version, logs) },
			func(l *slog.Logger) eventlog.Opener { return opener(cfg, l) },
			newServer,
		),
		fx.WithLogger(func() fxevent.Logger { // the error that New or Start returns says it shorter
			quiet := &fxevent.SlogLogger{Logger: slog.New(logs)}
			quiet.UseLogLevel(slog.LevelDebug)
			quiet.UseErrorLevel(slog.LevelDebug)
			return quiet
		}),
		fx.StartTimeout(time.Minute), // a log may have to be recovered
		fx.StopTimeout(time.Duration(cfg.Shutdown.Timeout)+stopReserve),
		Core,
		fx.Invoke(func(Address) {}),
	)
}

// stopReserve is what is left for closing the log and flushing telemetry once
// draining has taken all its time. Without it fx would skip those hooks.
const stopReserve = 10 * time.Second

// Telemetry is what the program measures with.
type Telemetry struct {
	fx.Out

	Logger         *slog.Logger
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
	Propagator     propagation.TextMapPropagator
	Metrics        Metrics
}

// Metrics serves the Prometheus page.
type Metrics struct{ http.Handler }

func startTelemetry(lc fx.Lifecycle, cfg config.Config, version string, logs slog.Handler) (Telemetry, error) {
	p, err := export.Start(context.Background(), export.Options{
		Service: cfg.Telemetry.Service, Version: version, Logger: slog.New(logs),
	})
	if err != nil {
		return Telemetry{}, fmt.Errorf("start telemetry: %w", err)
	}
	lc.Append(fx.StopHook(p.Shutdown))
	if p.LogHandler != nil {
		logs = slog.NewMultiHandler(logs, p.LogHandler)
	}
	return Telemetry{
		Logger:         slog.New(telemetry.LogHandler(logs)),
		TracerProvider: p.TracerProvider,
		MeterProvider:  p.MeterProvider,
		Propagator:     p.Propagator,
		Metrics:        Metrics{p.Metrics},
	}, nil
}

func opener(cfg config.Config, logger *slog.Logger) eventlog.Opener {
	options := logOptions(cfg.Log)
	if cfg.Log.Engine == "memory" {
		return memlog.Opener(options)
	}
	return pebblelog.Opener(cfg.Data, pebblelog.Options{Options: options, MinFree: minFree(cfg), Logger: logger})
}

func logOptions(c config.Log) eventlog.Options {
	durable, memory := c.Retention.Durable, c.Retention.Memory
	return eventlog.Options{
		Durable:           eventlog.Retention{Age: time.Duration(durable.Age), Bytes: int64(durable.Bytes)},
		Memory:            eventlog.Retention{Age: time.Duration(memory.Age), Bytes: int64(memory.Bytes)},
		IdempotencyWindow: time.Duration(c.IdempotencyWindow),
	}
}

// minFree is for the log, to which 0 is its default.
func minFree(cfg config.Config) int64 {
	if cfg.Log.MinFree == 0 {
		return -1
	}
	return int64(cfg.Log.MinFree)
}

func hubConfig(cfg config.Config) hub.Config {
	c := hub.Config{
		Limits: hub.Limits{
			EventBytes: int(cfg.Limits.Event),
			BatchBytes: int(cfg.Limits.Body),
			Batch:      cfg.Limits.Batch,
			Filters:    cfg.Limits.Filters,
			Topics:     cfg.Limits.Topics,
			Clients:    cfg.Limits.Connections,

			ClientsPerSubject: cfg.Limits.ConnectionsPerSubject,
			ClientsPerAddress: cmp.Or(cfg.Limits.ConnectionsPerAddress, math.MaxInt),
			ClientBytes:       int64(cfg.Limits.Mailboxes),
		},
		Client: client.Config{
			Mailbox:      int64(cfg.Client.Mailbox),
			WriteTimeout: time.Duration(cfg.Client.WriteTimeout),
			MaxLag:       time.Duration(cfg.Client.MaxLag),
			Retry:        time.Duration(cfg.Client.Retry),
		},
		Level: level(cfg),
		Levels: hub.Levels{
			Manual:      cfg.Levels.Automatic == "off",
			Memory:      int64(cfg.Levels.Memory),
			Propagation: time.Duration(cfg.Levels.Propagation),
			Hold:        time.Duration(cfg.Levels.Hold),
		},
		Heartbeat:   time.Duration(cfg.Client.Heartbeat),
		RetrySpread: time.Duration(cfg.Client.RetrySpread),
		Grace:       time.Duration(cfg.Presence.Grace),
		Receipts:    cfg.Telemetry.Receipts,
	}
	for _, t := range cfg.Topics {
		c.Topics = append(c.Topics, hub.TopicRule{
			Filter: t.Filter, Durability: t.Durability, Rate: float64(t.Rate), Burst: t.Burst,
		})
	}
	return c
}

func httpConfig(cfg config.Config, metrics Metrics) httpapi.Config {
	return httpapi.Config{
		Origins:        cfg.CORS.Origins,
		Hosts:          cfg.CORS.Hosts,
		MaxBody:        int64(cfg.Limits.Body),
		MaxWait:        time.Duration(cfg.Limits.Wait),
		Rate:           cfg.Limits.PublishRate,
		RatePerSubject: cfg.Limits.PublishRatePerSubject,
		Cookie:         cfg.Auth.Cookie,
		TicketLife:     time.Duration(cfg.Auth.TicketLife),
		Proxies:        proxies(cfg),
		Metrics:        metrics,
	}
}

func level(cfg config.Config) nave.Level {
	if cfg.SSE == "off" {
		return nave.LevelPolling
	}
	return nave.LevelNormal
}

func proxies(cfg config.Config) httpapi.Proxies {
	return httpapi.Proxies{Trusted: cfg.Proxies.Networks(), Header: cfg.Proxies.Header}
}
