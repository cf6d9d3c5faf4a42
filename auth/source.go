package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// A Source is where the keys of one issuer are: in a file, or at a URL.
type Source struct {
	// Issuer is who signs: tokens with this iss are judged by this source alone.
	// Empty is for every token whose iss no other source names.
	Issuer string
	// Audience is whom tokens are for: one of these must be in aud. If there is
	// none, aud is not looked at.
	Audience []string
	// Algorithms are those that are accepted, of HS256 to HS512, RS256 to RS512,
	// PS256 to PS512, ES256 to ES512 and EdDSA.
	//
	// Defaults to what the keys of the file are for; for a URL, to all but HS256
	// to HS512, which it cannot have.
	Algorithms []string
	// File has a secret, keys in PEM, a JWK or a JWK set.
	File string
	// URL answers with a JWK set. It is https, or http on this machine.
	URL string
	// Breaker is told how it goes to fetch from the URL; nil for none.
	Breaker Breaker
}

// A Breaker shows others that a URL does not answer, and lets an operator have it
// tried again: see package breaker. None of its methods may block.
type Breaker interface {
	// Done tells how a fetch went, and how long it took.
	Done(err error, took time.Duration)
	// Hold opens it: why there are no keys, and until when none are fetched. Release
	// closes it.
	Hold(why string, until time.Time)
	Release()
	// OnReset has try called when an operator wants another fetch at once.
	OnReset(try func())
}

// unseen is the Breaker of a source that has none.
type unseen struct{}

func (unseen) Done(error, time.Duration) {}
func (unseen) Hold(string, time.Time)    {}
func (unseen) Release()                  {}
func (unseen) OnReset(func())            {}

// A source is a Source with its keys.
type source struct {
	Source
	algorithms []algorithm
	keys       atomic.Pointer[keySet] // nil until the first have been fetched
	remote     *remote                // nil for a file
}

// newSource reads a file. It does not wait for a URL.
func newSource(configured Source, c VerifierConfig) (*source, error) {
	s := &source{Source: configured}
	var err error
	if s.algorithms, err = parseAlgorithms(s.Algorithms); err != nil {
		return nil, err
	}
	switch {
	case s.File == "" && s.URL == "":
		return nil, errors.New("they are nowhere: name a file or a URL")
	case s.File != "" && s.URL != "":
		return nil, errors.New("they are in a file and at a URL: name one of them")
	case s.File != "":
		return s, s.read()
	}
	s.remote, err = s.newRemote(c)
	return s, err
}

func (s *source) newRemote(c VerifierConfig) (*remote, error) {
	if len(s.algorithms) == 0 {
		s.algorithms = asymmetric
	}
	for _, a := range s.algorithms {
		if slices.Contains(symmetric, a) {
			return nil, fmt.Errorf("algorithm %s needs a secret, and what is at a URL is none", a)
		}
	}
	u, err := parseURL(s.URL)
	if err != nil {
		return nil, err
	}
	r := &remote{
		url: u, client: c.Client, log: c.Logger, now: c.Now, keep: s.keep, breaker: s.Breaker,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
		looking: make(chan struct{}), // run begins with one
	}
	if r.breaker == nil {
		r.breaker = unseen{}
	}
	r.breaker.OnReset(r.lookNow)
	return r, nil
}

// keep takes a set that has been fetched. One that is the same as before leaves
// alone what was verified by it.
func (s *source) keep(fetched *keySet) {
	if !s.keys.Load().equal(fetched) {
		s.keys.Store(fetched)
	}
}

// read reads the keys of the file. Of a set, those that are for other algorithms
// are left out.
func (s *source) read() error {
	all, err := readKeyFile(s.File)
	if err != nil {
		return err
	}
	if len(s.algorithms) == 0 {
		s.algorithms = slices.DeleteFunc(slices.Clone(algorithms), func(a algorithm) bool {
			return !slices.ContainsFunc(all, func(k key) bool { return slices.Contains(k.algorithms, a) })
		})
		s.keys.Store(newKeySet(all))
		return nil
	}
	var accepted []key
	for _, k := range all {
		if err := k.longEnough(s.algorithms); err != nil {
			return fmt.Errorf("%s: %w", s.File, err)
		}
		var fits key
		if fits, err = k.only(s.algorithms); err == nil {
			accepted = append(accepted, fits)
		}
	}
	if len(accepted) == 0 {
		return fmt.Errorf("%s: %w", s.File, err)
	}
	s.keys.Store(newKeySet(accepted))
	return nil
}

// verify answers by which keys, and which of them, the signature is right.
func (s *source) verify(ctx context.Context, t *token) (*keySet, key, error) {
	if !slices.Contains(s.algorithms, t.algorithm) {
		return nil, key{}, refuse("algorithm %s is not accepted: the token must be signed with %s", quote(string(t.algorithm)), list(s.algorithms))
	}
	keys := s.keys.Load()
	candidates, err := keys.candidates(t.algorithm, t.keyID)
	if errors.Is(err, errUnknownKey) && s.remote != nil {
		if err := s.remote.refresh(ctx); err != nil {
			return nil, key{}, err
		}
		keys = s.keys.Load()
		candidates, err = keys.candidates(t.algorithm, t.keyID)
	}
	if err != nil {
		return nil, key{}, refuse("the token cannot be verified: %w", err)
	}
	for _, k := range candidates {
		if t.signed(k) {
			return keys, k, nil
		}
	}
	return nil, key{}, refuse("the token's signature is wrong: another key has signed it, or it was changed")
}

// has reports whether a key is still one of the source's.
func (s *source) has(k key) bool { return slices.ContainsFunc(s.keys.Load().keys, k.equal) }
