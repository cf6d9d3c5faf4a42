package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/navehub/nave"
)

// An Authority says who a caller is, and what it may do.
type Authority struct {
	config    AuthorityConfig
	anonymous *Identity
}

// An AuthorityConfig configures an Authority. The zero one lets nobody do anything.
type AuthorityConfig struct {
	// Verifier knows the keys; nil: no token is valid.
	Verifier *Verifier
	// Claim is the claim that lists what a token's bearer may do.
	//
	// Defaults to "nave".
	Claim string
	// Default is what the bearer of a token without that claim may do.
	Default Templates
	// Anonymous is what those without a token may do; nil is nothing.
	Anonymous *Grant
	// Revocations that are in force; nil: there are none.
	Revocations *Revocations
	// Now is the clock, time.Now if nil.
	Now func() time.Time
}

// NewAuthority makes an Authority.
func NewAuthority(config AuthorityConfig) *Authority {
	if config.Claim == "" {
		config.Claim = "nave"
	}
	if config.Anonymous == nil {
		config.Anonymous = NewGrant(Filters{})
	}
	if config.Revocations == nil {
		config.Revocations = new(Revocations)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Authority{config, &Identity{Grant: config.Anonymous}}
}

// Open is an Authority that lets everybody do everything, for whoever has
// authenticated callers otherwise, or has nothing to protect.
func Open() *Authority { return NewAuthority(AuthorityConfig{Anonymous: Everything}) }

// Anonymous is who has shown no token.
func (a *Authority) Anonymous() *Identity { return a.anonymous }

// Identify says who the bearer of a token is. It refuses, with
// nave.CodeUnauthorised, one that is not valid, and with nave.CodeUnavailable one
// whose keys cannot be had now. Of one that has been revoked it says, with the error,
// whose it was.
func (a *Authority) Identify(ctx context.Context, token string) (*Identity, error) {
	if a.config.Verifier == nil {
		return nil, nave.Errorf(nave.CodeUnauthorised, "no token is valid here: the hub has no key")
	}
	claims, err := a.config.Verifier.Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	known := claims.identity.Load()
	if known == nil || known.by != a { // the claims may be remembered, and this with them
		id, err := a.identity(claims)
		if err != nil {
			return nil, err
		}
		known = &worked{a, id}
		claims.identity.Store(known)
	}
	id := known.identity
	return id, a.config.Revocations.Check(id, a.config.Verifier.leeway)
}

// worked is who claims stand for, as an Authority has worked it out.
type worked struct {
	by       *Authority
	identity *Identity
}

func (a *Authority) identity(c *Claims) (*Identity, error) {
	templates, given, err := readGrant(c.All, a.config.Claim)
	if err != nil {
		return nil, err
	}
	if !given {
		templates = a.config.Default
	}
	filters, err := templates.fill(c.All)
	if err != nil {
		return nil, err
	}
	return &Identity{
		Issuer: c.Issuer, Subject: c.Subject, ID: c.ID, Fingerprint: c.Fingerprint,
		Issued: c.Issued, Expires: c.Expires.Add(a.config.Verifier.leeway), Grant: NewGrant(filters),
		trusted: c.trusted,
	}, nil
}

// Check refuses an identity that was good and is not any more: its token has
// expired, or has been revoked, or its key has been withdrawn.
func (a *Authority) Check(id *Identity) error {
	if id.Anonymous() {
		return nil
	}
	if !id.Expires.IsZero() && !a.config.Now().Before(id.Expires) {
		return nave.Errorf(nave.CodeUnauthorised, "the token has expired at %s", id.Expires.UTC().Format(time.RFC3339))
	}
	if id.trusted != nil && !id.trusted() {
		return nave.Errorf(nave.CodeUnauthorised, "the key that signed the token has been withdrawn")
	}
	return a.config.Revocations.Check(id, a.leeway())
}

// leeway is 0 where no token is valid.
func (a *Authority) leeway() time.Duration {
	if a.config.Verifier == nil {
		return 0
	}
	return a.config.Verifier.leeway
}

// Lifetime is the longest that a token is valid after it was issued, 0 if there is no
// bound: after it a revocation can be forgotten.
func (a *Authority) Lifetime() time.Duration {
	if a.config.Verifier == nil || a.config.Verifier.maxLifetime == 0 {
		return 0
	}
	return a.config.Verifier.maxLifetime + 2*a.leeway()
}

// Revocations are those in force.
func (a *Authority) Revocations() *Revocations { return a.config.Revocations }

// Sources are where keys come from, and how that goes; none if there are no keys.
func (a *Authority) Sources() []SourceState {
	if a.config.Verifier == nil {
		return nil
	}
	return a.config.Verifier.Sources()
}

// Ready is nil unless an issuer's tokens cannot be judged, since its keys have never
// been fetched.
func (a *Authority) Ready() error {
	var all []error
	for _, s := range a.Sources() {
		if s.Keys == 0 {
			all = append(all, fmt.Errorf("keys: those of %s have not been fetched yet", cmp.Or(s.Issuer, "tokens without issuer")))
		}
	}
	return errors.Join(all...)
}
