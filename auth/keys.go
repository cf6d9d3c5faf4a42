package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// An algorithm is how a token is signed. These are all that there are: none and
// whatever else a header may say is not among them.
type algorithm = jose.SignatureAlgorithm

var (
	symmetric = []algorithm{jose.HS256, jose.HS384, jose.HS512}
	rsaBased  = []algorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512}
	// asymmetric are those of keys of which one half may be published.
	asymmetric = slices.Concat(rsaBased, []algorithm{jose.ES256, jose.ES384, jose.ES512, jose.EdDSA})
	algorithms = slices.Concat(symmetric, asymmetric)
)

// secretBytes is how long a secret must be: as long as the hash (RFC 7518, 3.2).
var secretBytes = map[algorithm]int{jose.HS256: 32, jose.HS384: 48, jose.HS512: 64}

const (
	leastRSABits = 2048
	mostRSABits  = 8192 // each signature costs time by the square of it
)

// A key is one key of a source. It carries the algorithms that it is for, all of
// one kind, so that no header can make a secret of a public key.
type key struct {
	id         string // "" without
	algorithms []algorithm
	verifier   any // []byte, *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
	signer     any // the private half, or the secret; nil if it is not known
}

// newKey refuses what is weak, or no key for signatures.
func newKey(id string, material any) (key, error) {
	k := key{id: id, verifier: material}
	switch m := material.(type) {
	case []byte:
		if isPublic(m) {
			return key{}, errors.New("it is a key that others may know, and no secret: write it in PEM")
		}
		k.signer = m
	case *rsa.PrivateKey:
		k.verifier, k.signer = &m.PublicKey, m
	case *ecdsa.PrivateKey:
		k.verifier, k.signer = &m.PublicKey, m
	case ed25519.PrivateKey:
		k.verifier, k.signer = m.Public(), m
	}
	var err error
	k.algorithms, err = fitting(k.verifier)
	return k, err
}

// fitting are the algorithms that a secret or public key is for.
func fitting(verifier any) ([]algorithm, error) {
	switch v := verifier.(type) {
	case []byte:
		return forSecret(len(v))
	case *rsa.PublicKey:
		if bits := v.N.BitLen(); bits < leastRSABits || bits > mostRSABits {
			return nil, fmt.Errorf("an RSA key of %d bits is not accepted: it must have %d to %d", bits, leastRSABits, mostRSABits)
		}
		return rsaBased, nil
	case ed25519.PublicKey:
		return []algorithm{jose.EdDSA}, nil
	case *ecdsa.PublicKey:
		switch v.Curve {
		case elliptic.P256():
			return []algorithm{jose.ES256}, nil
		case elliptic.P384():
			return []algorithm{jose.ES384}, nil
		case elliptic.P521():
			return []algorithm{jose.ES512}, nil
		}
		return nil, fmt.Errorf("curve %s is not accepted: use P-256, P-384 or P-521", v.Curve.Params().Name)
	}
	return nil, errors.New("this kind of key is not accepted: use a secret, RSA, P-256, P-384, P-521 or Ed25519")
}

func forSecret(length int) ([]algorithm, error) {
	var fit []algorithm
	for _, a := range symmetric {
		if length >= secretBytes[a] {
			fit = append(fit, a)
		}
	}
	if fit == nil {
		return nil, shortSecret(length, jose.HS256)
	}
	return fit, nil
}

func shortSecret(length int, a algorithm) error {
	return fmt.Errorf("a secret of %d bytes is too short: %s needs %d or more", length, a, secretBytes[a])
}

// isPublic reports whether a secret is really a key with two halves, in whatever
// form. Whoever knows the public one could sign with it if it were a secret.
func isPublic(secret []byte) bool {
	for _, prefix := range []string{"ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"} {
		if bytes.HasPrefix(secret, []byte(prefix)) {
			return true
		}
	}
	plain := strings.NewReplacer("-", "+", "_", "/", " ", "", "=", "", "\n", "").Replace(string(secret))
	decoded, _ := base64.RawStdEncoding.DecodeString(plain) // what is no base64 decodes to a part of it
	for _, form := range [][]byte{secret, decoded} {
		if isDER(form) || bytes.Contains(form, []byte("-----BEGIN")) || bytes.Contains(form, []byte(`"kty"`)) {
			return true
		}
	}
	return false
}

func isDER(text []byte) bool {
	for _, parse := range []func([]byte) (any, error){
		x509.ParsePKIXPublicKey,
		x509.ParsePKCS8PrivateKey,
		func(der []byte) (any, error) { return x509.ParsePKCS1PublicKey(der) },
		func(der []byte) (any, error) { return x509.ParsePKCS1PrivateKey(der) },
		func(der []byte) (any, error) { return x509.ParseECPrivateKey(der) },
		func(der []byte) (any, error) { return x509.ParseCertificate(der) },
	} {
		if _, err := parse(text); err == nil {
			return true
		}
	}
	return false
}

// only leaves the algorithms that are accepted.
func (k key) only(accepted []algorithm) (key, error) {
	fit := k.algorithms
	k.algorithms = slices.DeleteFunc(slices.Clone(fit), func(a algorithm) bool { return !slices.Contains(accepted, a) })
	if len(k.algorithms) == 0 {
		return k, fmt.Errorf("the key is for %s, and only %s is accepted", list(fit), list(accepted))
	}
	return k, nil
}

// longEnough refuses a secret that is too short for one of the algorithms that
// somebody has named.
func (k key) longEnough(named []algorithm) error {
	secret, ok := k.verifier.([]byte)
	for _, a := range named {
		if ok && len(secret) < secretBytes[a] {
			return shortSecret(len(secret), a)
		}
	}
	return nil
}

func (k key) equal(other key) bool {
	if k.id != other.id || !slices.Equal(k.algorithms, other.algorithms) {
		return false
	}
	if secret, ok := k.verifier.([]byte); ok {
		same, ok := other.verifier.([]byte)
		return ok && bytes.Equal(secret, same)
	}
	public, ok := k.verifier.(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(other.verifier)
}

// A keySet is the keys of a source at one time. It is never changed: who has
// verified a token by a set knows by the pointer whether it is still the one.
type keySet struct {
	keys  []key
	named bool // at least one has an id
}

func newKeySet(keys []key) *keySet {
	return &keySet{keys, slices.ContainsFunc(keys, func(k key) bool { return k.id != "" })}
}

func (s *keySet) equal(other *keySet) bool {
	return s != nil && slices.EqualFunc(s.keys, other.keys, key.equal)
}

// tries is how many keys one token may cost.
const tries = 8

// errUnknownKey is for a token by a key that may have been published since.
var errUnknownKey = errors.New("its key is unknown")

// candidates are the keys that may have signed with a: those called id, or all if
// the token names none, or if no key here has a name.
func (s *keySet) candidates(a algorithm, id string) ([]key, error) {
	if s == nil {
		return nil, errUnknownKey
	}
	named := s.keys
	if id != "" && s.named {
		named = slices.DeleteFunc(slices.Clone(named), func(k key) bool { return k.id != id })
		if len(named) == 0 {
			return nil, fmt.Errorf("%w: there is none with the id %s (kid)", errUnknownKey, quote(id))
		}
	}
	fit := slices.DeleteFunc(slices.Clone(named), func(k key) bool { return !slices.Contains(k.algorithms, a) })
	switch {
	case len(fit) == 0 && len(named) < len(s.keys):
		return nil, fmt.Errorf("its key %s is not for %s", quote(id), a)
	case len(fit) == 0:
		return nil, fmt.Errorf("%w: there is none for %s", errUnknownKey, a)
	case len(fit) > tries:
		return nil, fmt.Errorf("%d keys could have signed it, and it does not say which (kid)", len(fit))
	}
	return fit, nil
}

// parseAlgorithms refuses what is not among algorithms.
func parseAlgorithms(names []string) ([]algorithm, error) {
	var parsed []algorithm
	for _, name := range names {
		if !slices.Contains(algorithms, algorithm(name)) {
			return nil, fmt.Errorf("algorithm %q is unknown: use %s", name, list(algorithms))
		}
		parsed = append(parsed, algorithm(name))
	}
	return parsed, nil
}
