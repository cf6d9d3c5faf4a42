package wiring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"go.uber.org/zap"
)

func TestZapBecomesSlog(t *testing.T) {
	var out bytes.Buffer
	handler := slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	log := zap.New(zapCore{handler: handler}).Named("maintenance").With(zap.String("domain", "hub.example"))
	log.Info("lock acquired")
	log.Warn("soon", zap.Int("attempt", 2))
	log.Error("will retry", zap.Error(errors.New("no answer")), zap.Float64("after", 60))
	log.Error("job failed", zap.Error(fmt.Errorf("obtain: %w", context.Canceled)))
	const want = `level=WARN msg="certificates: soon" domain=hub.example attempt=2
level=ERROR msg="certificates: will retry" domain=hub.example after=60 error="no answer"
`
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", &out, want)
	}
}
