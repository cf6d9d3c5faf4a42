package auth

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave"
)

// A pair is a key and its public half, which is "" for a secret.
type pair struct{ file, public string }

var kept sync.Map

// madeKey makes one key of each kind: RSA takes its time.
func madeKey(t testing.TB, algorithm string) pair {
	t.Helper()
	if p, ok := kept.Load(algorithm); ok {
		return p.(pair)
	}
	file, public, err := NewKey(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := kept.LoadOrStore(algorithm, pair{string(file), string(public)})
	return p.(pair)
}

// inFile writes a file for a Source.
func inFile(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func newVerifier(t testing.TB, c VerifierConfig) *Verifier {
	t.Helper()
	v, err := NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// by is a verifier that has one key.
func by(t testing.TB, key string) *Verifier {
	t.Helper()
	return newVerifier(t, VerifierConfig{Sources: []Source{{File: inFile(t, key)}}})
}

type claims = map[string]any

// with are claims that are valid for an hour, and others.
func with(others claims) claims {
	all := claims{"sub": "alice", "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(all, others)
	return all
}

func sign(t testing.TB, key string, c claims) string {
	t.Helper()
	token, err := Sign([]byte(key), c)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func accept(t testing.TB, v *Verifier, token string) *Claims {
	t.Helper()
	c, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Errorf("refused: %v", err)
		return &Claims{}
	}
	return c
}

// refuseWith wants a refusal that says something, and does not say the token.
func refuseWith(t testing.TB, v *Verifier, token, want string) {
	t.Helper()
	c, err := v.Verify(t.Context(), token)
	switch {
	case err == nil:
		t.Errorf("accepted: %v; want %q", c.All, want)
		return
	case nave.CodeOf(err) != nave.CodeUnauthorised:
		t.Errorf("code %s", nave.CodeOf(err))
	case !strings.Contains(err.Error(), want):
		t.Errorf("error %q, want %q", err, want)
	}
	for _, part := range strings.Split(token, ".") {
		if len(part) > 8 && strings.Contains(err.Error(), part) {
			t.Errorf("the error has a part of the token: %v", err)
		}
	}
}

func TestEveryAlgorithm(t *testing.T) {
	for _, a := range algorithms {
		t.Run(string(a), func(t *testing.T) {
			p := madeKey(t, string(a))
			token := sign(t, p.file, with(claims{"iss": "here", "jti": "7", "iat": 1e9, "n": 12345678901234567}))
			verifiers := []string{p.file, p.file + "\n"}
			if p.public != "" {
				verifiers = append(verifiers, p.public)
			}
			for _, text := range verifiers {
				c := accept(t, by(t, text), token)
				if c.Subject != "alice" || c.Issuer != "here" || c.ID != "7" || c.Issued.Unix() != 1e9 ||
					c.Fingerprint != Fingerprint(token) || time.Until(c.Expires) < 59*time.Minute {
					t.Errorf("claims %+v", c)
				}
			}
		})
	}
}
