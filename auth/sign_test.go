package auth

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestNewKey(t *testing.T) {
	for algorithm, length := range map[string]int{"HS256": 43, "HS384": 64, "HS512": 86} {
		file, public, err := NewKey(algorithm)
		if err != nil || public != nil || len(file) != length || strings.ContainsAny(string(file), "\r\n=+/") {
			t.Errorf("%s: %d bytes, public %q, %v", algorithm, len(file), public, err)
		}
		if again, _, _ := NewKey(algorithm); string(again) == string(file) {
			t.Errorf("%s: the same key twice", algorithm)
		}
	}
	for _, algorithm := range []string{"ES256", "ES384", "ES512", "EdDSA", "RS256"} {
		p := madeKey(t, algorithm)
		if !strings.HasPrefix(p.file, "-----BEGIN PRIVATE KEY-----\n") || !strings.HasPrefix(p.public, "-----BEGIN PUBLIC KEY-----\n") {
			t.Errorf("%s: %.30q, %.30q", algorithm, p.file, p.public)
		}
	}
	for _, algorithm := range []string{"", "none", "es256", "HS1"} {
		if _, _, err := NewKey(algorithm); err == nil || !strings.Contains(err.Error(), "is unknown: use HS256, HS384") {
			t.Errorf("%q: %v", algorithm, err)
		}
	}
}

func TestSignedWith(t *testing.T) {
	ec, ed := madeKey(t, "ES256"), madeKey(t, "EdDSA")
	for _, test := range []struct{ name, file, header string }{
		{"HS256", madeKey(t, "HS256").file, `{"alg":"HS256","typ":"JWT"}`},
		{"HS384", madeKey(t, "HS384").file, `{"alg":"HS384","typ":"JWT"}`},
		{"HS512", madeKey(t, "HS512").file, `{"alg":"HS512","typ":"JWT"}`},
		{"RS256", madeKey(t, "RS256").file, `{"alg":"RS256","typ":"JWT"}`},
		{"ES512", madeKey(t, "ES512").file, `{"alg":"ES512","typ":"JWT"}`},
		{"JWK", jwk(t, ec.file, "k", `"alg":"ES256"`), `{"alg":"ES256","kid":"k","typ":"JWT"}`},
		{"oct", secretJWK("o", strings.Repeat("s", 32)), `{"alg":"HS256","kid":"o","typ":"JWT"}`},
		{"the first that can", set(jwk(t, ec.public, "1"), jwk(t, ed.file, "2")), `{"alg":"EdDSA","kid":"2","typ":"JWT"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			token := sign(t, test.file, with(nil))
			head, _, _ := strings.Cut(token, ".")
			header, err := base64.RawURLEncoding.DecodeString(head)
			if err != nil || string(header) != test.header {
				t.Errorf("header %s, %v", header, err)
			}
			accept(t, by(t, test.file), token)
		})
	}
}

func TestCannotSign(t *testing.T) {
	for name, test := range map[string]struct {
		file   string
		claims claims
		want   string
	}{
		"public half": {madeKey(t, "ES256").public, nil, "it has only the public half of a key"},
		"weak":        {"secret", nil, "a secret of 6 bytes is too short"},
		"no JSON":     {madeKey(t, "HS256").file, claims{"n": math.NaN()}, "unsupported value: NaN"},
	} {
		if token, err := Sign([]byte(test.file), test.claims); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %q, %v", name, token, err)
		}
	}
}

// The file of a secret is what other programs take for the secret.
func TestSecretElsewhere(t *testing.T) {
	secret := madeKey(t, "HS256").file
	payload, err := json.Marshal(with(nil))
	if err != nil {
		t.Fatal(err)
	}
	accept(t, by(t, secret), assembled(`{"alg":"HS256","typ":"JWT"}`, string(payload), hs256(secret)))
}
