package wiring

import (
	"errors"
	"log/slog"
	"time"

	"go.uber.org/fx"

	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/config"
)

// ErrNoKey says that nobody could do anything with a hub so configured.
var ErrNoKey = errors.New("nobody may use this hub: it has no key to tell callers by (auth.key), and lets nobody in without (auth.anonymous)")

// OpenToAll lets everybody do everything who can reach the hub: for an application
// that has its own ways to tell who may.
var OpenToAll = fx.Supply(auth.Open())

// readAuthority reads the keys that the configuration names.
func readAuthority(lc fx.Lifecycle, cfg config.Config, logger *slog.Logger) (*auth.Authority, error) {
	c := cfg.Auth
	if !c.HasKeys() && c.Anonymous.Nothing() {
		return nil, ErrNoKey
	}
	verifier, err := newVerifier(c, logger)
	if err != nil {
		return nil, err
	}
	if verifier != nil {
		lc.Append(fx.StopHook(verifier.Close))
	}
	return auth.NewAuthority(auth.AuthorityConfig{
		Verifier:  verifier,
		Claim:     c.Claim,
		Default:   auth.Templates{Publish: c.Grant.Publish, Subscribe: c.Grant.Subscribe},
		Anonymous: auth.NewGrant(c.Anonymous.Filters()),
	}), nil
}

// newVerifier is nil if there are no keys.
func newVerifier(c config.Auth, logger *slog.Logger) (*auth.Verifier, error) {
	if !c.HasKeys() {
		return nil, nil
	}
	v := auth.VerifierConfig{
		Leeway: time.Duration(c.Leeway), MaxLifetime: time.Duration(c.MaxLifetime), Logger: logger,
	}
	if c.Leeway == 0 {
		v.Leeway = -1 // to it 0 is its default
	}
	if c.Key != "" {
		v.Sources = append(v.Sources, auth.Source{File: c.Key, Audience: c.Audience})
	}
	for _, issuer := range c.Issuers {
		v.Sources = append(v.Sources, auth.Source{
			Issuer: issuer.Issuer, Audience: issuer.Audience, Algorithms: issuer.Algorithms, File: issuer.File, URL: issuer.URL,
		})
	}
	return auth.NewVerifier(v)
}
