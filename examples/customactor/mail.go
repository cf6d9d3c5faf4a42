package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/fx"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/wiring"
)

// mail posts what happens in mail topics to a service, if there is one.
func mail(service string) fx.Option {
	if service == "" {
		return fx.Options()
	}
	type params struct {
		fx.In
		Breaker *breaker.Breaker `name:"mail"`
	}
	return fx.Options(
		wiring.Breaker(breaker.Config{Name: "mail", MinCalls: 5, SlowCall: 5 * time.Second}),
		fx.Provide(fx.Annotate(func(p params) hub.Extension {
			return hub.Extension{
				Name:    "mail",
				Filters: nave.Filters{"mail/**"},
				New:     func(hub.Publisher) hub.Handler { return mailer{service, p.Breaker} },
			}
		}, fx.ResultTags(`group:"nave.extensions"`))),
	)
}

type mailer struct {
	service string
	breaker *breaker.Breaker
}

// Handle is called again, a second later, for an event that the service did not take.
func (m mailer) Handle(ctx context.Context, e nave.Event) error {
	if err := m.breaker.Allow(); err != nil {
		return err // which breaker is open, why, and until when
	}
	begun := time.Now()
	err := m.post(ctx, e)
	m.breaker.Done(err, time.Since(begun))
	if err != nil {
		return nave.Errorf(nave.CodeUnavailable, "post to the mail service: %w", err)
	}
	return nil
}

func (m mailer) post(ctx context.Context, e nave.Event) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	form := url.Values{"to": {e.Key}, "text": {string(e.Data)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.service+"?"+form.Encode(), nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusInternalServerError {
		return errors.New(answer.Status)
	}
	return nil // what the service refuses is no fault of its
}
