package pebblelog

import (
	"context"
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/logtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

func TestLog(t *testing.T) {
	logtest.Run(t, logtest.Factory{
		Durable: true,
		New: func(o eventlog.Options) eventlog.Opener {
			place := Options{Options: o, FS: vfs.NewMem(), Logger: quiet}
			return func(ctx context.Context) (eventlog.Log, error) { return Open(ctx, "log", place) }
		},
	})
}
