package httpapi

import (
	"context"
	"log/slog"
	"sync/atomic"

	"golang.org/x/time/rate"

	"github.com/navehub/nave"
	"github.com/navehub/nave/auth"
)

// audit is the record of who has administered what, and who was refused. It never
// has a credential in it.
type audit struct {
	logger *slog.Logger
	// Lines a second about refusals: somebody may send nothing but wrong tokens, and
	// should not keep those about others out.
	strangers, known *rate.Limiter
	omitted          atomic.Int64
}

func newAudit(logger *slog.Logger) *audit {
	const perSecond, atOnce = 10, 100
	return &audit{
		logger:    slog.New(always{logger.Handler()}).With("logger", "audit"),
		strangers: rate.NewLimiter(perSecond, atOnce), known: rate.NewLimiter(perSecond, atOnce),
	}
}

// always writes whatever the level that is logged.
type always struct{ slog.Handler }

func (always) Enabled(context.Context, slog.Level) bool { return true }

func (a always) WithAttrs(attrs []slog.Attr) slog.Handler { return always{a.Handler.WithAttrs(attrs)} }

func (a always) WithGroup(name string) slog.Handler { return always{a.Handler.WithGroup(name)} }

// auditAction records an action of an administrator, and what came of it.
func (x *exchange) auditAction(action, target string, err error, more ...slog.Attr) {
	attrs := append(x.auditAttrs(), slog.String("action", action), slog.String("target", short(target)))
	attrs = append(attrs, more...)
	if err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	x.audit.logger.LogAttrs(x.r.Context(), slog.LevelWarn, "administered", attrs...)
}

// auditRefusal records what somebody may not do.
func (x *exchange) auditRefusal(err error) {
	if code := nave.CodeOf(err); code != nave.CodeUnauthorised && code != nave.CodeForbidden {
		return
	}
	limit := x.audit.strangers
	if x.who != nil && !x.who.Anonymous() {
		limit = x.audit.known
	}
	if !limit.Allow() {
		x.audit.omitted.Add(1)
		return
	}
	attrs := append(x.auditAttrs(), slog.Any("error", err))
	if n := x.audit.omitted.Swap(0); n > 0 {
		attrs = append(attrs, slog.Int64("omitted", n))
	}
	x.audit.logger.LogAttrs(x.r.Context(), slog.LevelWarn, "refused", attrs...)
}

// auditAttrs say who, and what. The query may hold a ticket.
func (x *exchange) auditAttrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String("method", short(x.r.Method)), slog.String("path", short(x.r.URL.Path)), slog.String("address", x.address().String()),
	}
	if x.who == nil || x.who.Anonymous() {
		return attrs
	}
	return append(attrs, whoAttr(x.who))
}

func whoAttr(who *auth.Identity) slog.Attr {
	return slog.Group("who", slog.String("subject", short(who.Subject)), slog.String("issuer", short(who.Issuer)), slog.String("jti", short(who.ID)))
}

// short is the beginning of what a caller has made up, which may fill the disk.
func short(text string) string {
	const enough = 200
	return text[:min(len(text), enough)]
}
