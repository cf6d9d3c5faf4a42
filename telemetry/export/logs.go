package export

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"golang.org/x/time/rate"
)

func (p *Providers) startLogs(ctx context.Context, res *resource.Resource) error {
	if !asked("LOGS") {
		return nil
	}
	exporter, err := autoexport.NewLogExporter(ctx)
	if err != nil {
		return err
	}
	lp := sdklog.NewLoggerProvider(
		sdklog.WithResource(res),
		sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)))
	p.LogHandler = otelslog.NewHandler("github.com/navehub/nave", otelslog.WithLoggerProvider(lp))
	p.stops = append(p.stops, lp.Shutdown)
	return nil
}

// logErrors logs what OpenTelemetry has to say of itself.
func logErrors(logger *slog.Logger) {
	otel.SetLogger(logr.FromSlogHandler(logger.Handler()))
	otel.SetErrorHandler(&errorLog{logger: logger, sometimes: rate.Sometimes{Interval: 10 * time.Second}})
}

// An errorLog logs one error of many: a collector that is down fails every export.
type errorLog struct {
	logger    *slog.Logger
	sometimes rate.Sometimes
	errors    atomic.Int64 // since the last line
}

func (l *errorLog) Handle(err error) {
	l.errors.Add(1)
	l.sometimes.Do(func() {
		l.logger.Warn("telemetry export fails", "error", err, "errors", l.errors.Swap(0))
	})
}
