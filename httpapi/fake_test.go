package httpapi

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/eventlog"
)

// A fake is a hub that fails, in ways that a real one does seldom.
type fake struct {
	Hub       // nil: what a fake is not asked for
	err       error
	authority *auth.Authority // nil: everybody may do everything
}

func (f fake) Authority() *auth.Authority {
	if f.authority == nil {
		return auth.Open()
	}
	return f.authority
}

func (f fake) Submit(context.Context, ...nave.Event) (*hub.Pending, error) { return nil, f.err }
func (f fake) Connect(context.Context, client.Request) error               { return f.err }
func (f fake) Poll(context.Context, client.Request, time.Duration) (hub.Page, error) {
	return hub.Page{}, f.err
}
func (f fake) State(context.Context, nave.Filters) (eventlog.Snapshot, error) { return nil, f.err }
func (f fake) Epoch() nave.Epoch                                              { return "fake" }
func (f fake) Level() nave.Level                                              { return nave.LevelNormal }
func (f fake) Limits() hub.Limits                                             { return hub.Limits{Batch: 10} }
func (f fake) Accepting() context.Context                                     { return context.Background() }
func (f fake) Ready() error                                                   { return f.err }

func startFake(t *testing.T, f Hub) *server {
	t.Helper()
	s := &server{t: t, Server: httptest.NewServer(New(Config{Hub: f, Logger: quiet}))}
	t.Cleanup(s.Close)
	return s
}
