package wiring

import (
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"time"

	"go.uber.org/fx"

	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/config"
)

// ErrNoKey says that nobody could do anything with a hub so configured.
var ErrNoKey = errors.New("nobody may use this hub: it has no key to tell callers by (auth.key), and lets nobody in without (auth.anonymous)")

// OpenToAll lets everybody do everything who can reach the hub: for an application
// that has its own ways to tell who may.
var OpenToAll = fx.Supply(auth.Open())

// access is who may do what, and the breakers of the keys that this depends on.
type access struct {
	fx.Out

	Authority *auth.Authority
	Breakers  []*breaker.Breaker `group:"nave.breakers,flatten"`
}

// readAccess reads the keys that the configuration names.
func readAccess(lc fx.Lifecycle, cfg config.Config, logger *slog.Logger) (access, error) {
	c := cfg.Auth
	if !c.HasKeys() && c.Anonymous.Nothing() {
		return access{}, ErrNoKey
	}
	verifier, breakers, err := newVerifier(c, logger)
	if err != nil {
		return access{}, err
	}
	if verifier != nil {
		lc.Append(fx.StopHook(verifier.Close))
	}
	authority := auth.NewAuthority(auth.AuthorityConfig{
		Verifier:  verifier,
		Claim:     c.Claim,
		Default:   auth.Templates{Publish: c.Grant.Publish, Subscribe: c.Grant.Subscribe},
		Anonymous: auth.NewGrant(c.Anonymous.Filters()),
	})
	return access{Authority: authority, Breakers: breakers}, nil
}

// newVerifier is nil if there are no keys. Each URL of keys has a breaker.
func newVerifier(c config.Auth, logger *slog.Logger) (*auth.Verifier, []*breaker.Breaker, error) {
	if !c.HasKeys() {
		return nil, nil, nil
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
	var breakers []*breaker.Breaker
	for _, issuer := range c.Issuers {
		s := auth.Source{
			Issuer: issuer.Issuer, Audience: issuer.Audience, Algorithms: issuer.Algorithms, File: issuer.File, URL: issuer.URL,
		}
		if s.URL != "" {
			b := keysBreaker(s.URL, breakers)
			breakers, s.Breaker = append(breakers, b), b
		}
		v.Sources = append(v.Sources, s)
	}
	verifier, err := auth.NewVerifier(v)
	return verifier, breakers, err
}

// keysBreaker is the breaker of the keys at a URL, named by their host. It follows
// their verifier, which knows when they can be fetched.
func keysBreaker(address string, others []*breaker.Breaker) *breaker.Breaker {
	name := "jwks-"
	if u, err := url.Parse(address); err == nil { // the verifier says what is wrong with it
		name += u.Host
	}
	for n, first := 2, name; slices.ContainsFunc(others, func(b *breaker.Breaker) bool { return b.Name() == name }); n++ {
		name = first + "-" + strconv.Itoa(n)
	}
	return breaker.New(breaker.Config{Name: name, Manual: true})
}
