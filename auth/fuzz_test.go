package auth

import (
	"strings"
	"testing"

	"github.com/navehub/nave"
)

// FuzzVerify: nothing is accepted but what was signed, every refusal has a code
// and does not repeat the token, and nothing panics.
func FuzzVerify(f *testing.F) {
	secret, ec := madeKey(f, "HS256"), madeKey(f, "ES256")
	v := newVerifier(f, VerifierConfig{Sources: []Source{
		{File: inFile(f, secret.file), Audience: []string{"hub"}},
		{Issuer: "a", File: inFile(f, set(jwk(f, ec.public, "k"), jwk(f, madeKey(f, "EdDSA").public, "")))},
	}})
	signed := map[string]bool{}
	for _, c := range []claims{{"aud": "hub"}, {"aud": []string{"x", "hub"}, "iat": 1, "nave": claims{"publish": []string{"**"}}}, {"iss": "a"}} {
		for _, file := range []string{secret.file, jwk(f, ec.file, "k"), ec.file, madeKey(f, "EdDSA").file, madeKey(f, "RS256").file} {
			c["exp"] = 9999999999
			token := sign(f, file, c)
			signed[token[:strings.LastIndexByte(token, '.')]] = true
			f.Add(token)
			f.Add(token + "A")
			f.Add(token[:len(token)-1])
		}
	}
	for _, header := range []string{`{"alg":"none"}`, `{"alg":"HS256","crit":["b64"],"b64":false}`, `{"alg":"ES256","kid":"k","jwk":{}}`, "\xff", `{`} {
		f.Add(forged(f, header, claims{"exp": 9999999999}, hs256(secret.public)))
		f.Add(assembled(header, "\x00", unsigned))
	}
	f.Add("..")
	f.Add(strings.Repeat("a.", 9000))
	f.Fuzz(func(t *testing.T, token string) {
		c, err := v.Verify(t.Context(), token)
		if err == nil {
			if input := token[:strings.LastIndexByte(token, '.')]; !signed[input] || c.Expires.IsZero() {
				t.Errorf("accepted, and nobody has signed it: %q", token)
			}
			return
		}
		if c != nil || nave.CodeOf(err) != nave.CodeUnauthorised || len(err.Error()) > 600 {
			t.Errorf("%v: %v", c, err)
		}
		if i := strings.LastIndexByte(token, '.'); i >= 0 && len(token)-i > 20 && strings.Contains(err.Error(), token[i+1:]) {
			t.Errorf("%q is in %v", token, err)
		}
	})
}

// FuzzKeyFile: whatever is in a file, its keys are strong, carry algorithms of
// their own kind, and the error does not repeat it.
func FuzzKeyFile(f *testing.F) {
	for _, a := range []string{"HS256", "HS512", "RS256", "ES256", "ES512", "EdDSA"} {
		p := madeKey(f, a)
		f.Add([]byte(p.file))
		f.Add([]byte(p.public))
		if p.public != "" {
			f.Add([]byte(jwk(f, p.file, "a", `"alg":"`+a+`"`, `"use":"sig"`, `"key_ops":["verify","sign"]`)))
			f.Add([]byte(set(jwk(f, p.public, "b"), secretJWK("c", p.public))))
		}
	}
	f.Add([]byte(secretJWK("d", strings.Repeat("s", 64))))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := parseKeyFile(text)
		if err != nil {
			if len(text) > 40 && strings.Contains(err.Error(), string(text)) {
				t.Errorf("%q is in %v", text, err)
			}
			return
		}
		if len(keys) == 0 {
			t.Fatal("neither keys nor an error")
		}
		for _, k := range keys {
			fit, err := fitting(k.verifier)
			_, secret := k.verifier.([]byte)
			for _, a := range k.algorithms {
				if strings.HasPrefix(string(a), "HS") != secret {
					t.Errorf("a %T is for %s", k.verifier, a)
				}
			}
			if err != nil || len(k.algorithms) == 0 || len(k.algorithms) > len(fit) || secret && isPublic(k.verifier.([]byte)) {
				t.Errorf("key %T for %v: %v", k.verifier, k.algorithms, err)
			}
		}
		if _, err := Sign(text, claims{"exp": 1}); err != nil && !strings.Contains(err.Error(), "public half") {
			t.Logf("cannot sign: %v", err)
		}
	})
}
