package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	defaultLeeway = 10 * time.Second

	// A token of the usual size takes about 2 KB when it is remembered.
	rememberedTokens     = 4096
	rememberedTokenBytes = 4 << 10
)

// VerifierConfig configures a Verifier. It needs a source.
type VerifierConfig struct {
	Sources []Source
	// Leeway is how far clocks may be apart, for exp, nbf and iat. Negative is 0.
	//
	// Defaults to 10 s.
	Leeway time.Duration
	// MaxLifetime is how far away exp may be; 0 is no limit.
	MaxLifetime time.Duration
	// Client fetches from URLs.
	//
	// Defaults to one that gives up after 10 s, and does not follow a redirect to
	// another host.
	Client *http.Client
	// Logger is told of URLs that do not answer. Defaults to [slog.Default].
	Logger *slog.Logger
	// Now defaults to [time.Now].
	Now func() time.Time
}

// A Verifier verifies tokens. It may be used by several goroutines.
//
// Trust: a token is judged by the keys of its issuer's [Source] and by nothing
// that it brings along. Each key carries the algorithms that it is for, so that
// no token can choose another kind.
// Errors: a refusal is a sentence for whoever sent the token. It never has the
// token, a signature or a key in it.
// Blocking: Verify computes, and waits for the network only when the key of a
// token may have been published since the last look, for 5 s at most.
// Bounds: a token has 16 KiB at most, and costs 8 signatures at most. A few
// thousand that were verified are remembered; those that were refused are not.
type Verifier struct {
	// Set by NewVerifier, never changed.
	sources     []*source
	leeway      time.Duration
	maxLifetime time.Duration
	now         func() time.Time
	cancel      func()
	own         *http.Client // nil if it was configured

	remembered *lru.Cache[[32]byte, verdict]
}

// A verdict is a token that was right, by the keys of then.
type verdict struct {
	claims *Claims
	source *source
	keys   *keySet
}

// NewVerifier reads the files, and refuses keys that are weak. It does not wait
// for URLs.
func NewVerifier(c VerifierConfig) (*Verifier, error) {
	if len(c.Sources) == 0 {
		return nil, errors.New("there is no source of keys: name a file or a URL")
	}
	v := &Verifier{leeway: max(c.Leeway, 0), maxLifetime: c.MaxLifetime}
	if c.Leeway == 0 {
		v.leeway = defaultLeeway
	}
	if c.Client == nil {
		v.own = newClient()
		c.Client = v.own
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	v.now = c.Now
	v.remembered, _ = lru.New[[32]byte, verdict](rememberedTokens) // fails only for a size below 1
	for _, configured := range c.Sources {
		s, err := newSource(configured, c)
		switch {
		case err != nil:
			return nil, fmt.Errorf("keys%s: %w", of(configured.Issuer), err)
		case slices.ContainsFunc(v.sources, func(o *source) bool { return o.Issuer == s.Issuer }):
			return nil, fmt.Errorf("keys%s: there are two sources: one must have all the keys", of(s.Issuer))
		}
		v.sources = append(v.sources, s)
	}
	v.start()
	return v, nil
}

// start fetches in the background, until Close.
func (v *Verifier) start() {
	ctx, cancel := context.WithCancel(context.Background())
	v.cancel = cancel
	for _, s := range v.sources {
		if s.remote != nil {
			go s.remote.run(ctx) // ends with ctx
		}
	}
}

func of(issuer string) string {
	if issuer == "" {
		return ""
	}
	return " of " + quote(issuer)
}

// Close ends what runs in the background, and waits for it. It may be called more
// than once.
func (v *Verifier) Close() {
	v.cancel()
	for _, s := range v.sources {
		if s.remote != nil {
			<-s.remote.done
		}
	}
	if v.own != nil {
		v.own.CloseIdleConnections()
	}
}

// Fingerprint is what a token is known by to who must not know it: the SHA-256 of
// what is signed, without the signature. Some algorithms let anybody make a second
// signature of a first one; both are the same token.
func Fingerprint(token string) [32]byte {
	return sha256.Sum256([]byte(token[:max(0, strings.LastIndexByte(token, '.'))]))
}

// Verify tells what a token says, if it is to be believed. The error is a
// [nave.Error] with [nave.CodeUnauthorised], or with [nave.CodeUnavailable] if the
// keys cannot be had now.
func (v *Verifier) Verify(ctx context.Context, text string) (*Claims, error) {
	if len(text) > maxTokenBytes {
		return nil, refuse("the token has %d bytes: at most %d are accepted", len(text), maxTokenBytes)
	}
	sum := sha256.Sum256([]byte(text)) // of all of it: another signature is another verdict
	if old, ok := v.remembered.Get(sum); ok && old.keys == old.source.keys.Load() {
		if err := v.timely(old.claims, v.now()); err != nil {
			v.remembered.Remove(sum)
			return nil, err
		}
		return old.claims, nil
	}
	fresh, err := v.judge(ctx, text)
	if err != nil {
		return nil, err
	}
	if len(text) <= rememberedTokenBytes {
		v.remembered.Add(sum, fresh)
	}
	return fresh.claims, nil
}

// judge does all the work.
func (v *Verifier) judge(ctx context.Context, text string) (verdict, error) {
	t, err := parseToken(text)
	if err != nil {
		return verdict{}, err
	}
	s, err := v.sourceOf(t)
	if err != nil {
		return verdict{}, err
	}
	keys, by, err := s.verify(ctx, t)
	if err != nil {
		return verdict{}, err
	}
	claims, err := readClaims(t)
	if err == nil {
		claims.trusted = func() bool { return s.keys.Load() == keys || s.has(by) }
		err = s.meant(t.claims)
	}
	if err == nil {
		err = v.timely(claims, v.now())
	}
	return verdict{claims, s, keys}, err
}

// sourceOf finds the one source that may judge the token.
func (v *Verifier) sourceOf(t *token) (*source, error) {
	issuer, ok := text(t.claims, "iss")
	if !ok {
		return nil, refuse("the token's iss is no text")
	}
	for _, wanted := range []string{issuer, ""} {
		for _, s := range v.sources {
			if s.Issuer == wanted {
				return s, nil
			}
		}
	}
	if issuer == "" {
		return nil, refuse("the token does not say who issued it (iss)")
	}
	return nil, refuse("the token's issuer %s is unknown", quote(issuer))
}
