package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"strings"
	"testing"
)

// pemOf is a block of some type.
func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestForms(t *testing.T) {
	rsaKey := parseKeyOf(t, madeKey(t, "RS256").file).(*rsa.PrivateKey)
	ec := madeKey(t, "ES256")
	token := sign(t, madeKey(t, "RS256").file, with(nil))
	for name, file := range map[string]string{
		"PKCS #1":         pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)),
		"PKCS #1, public": pemOf("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey.PublicKey)),
		"private JWK":     jwk(t, madeKey(t, "RS256").file, ""),
		"JWK to sign":     jwk(t, madeKey(t, "RS256").file, "", `"key_ops":["sign"]`),
		"JWK":             jwk(t, madeKey(t, "RS256").public, "", `"use":"sig"`, `"alg":"RS256"`, `"key_ops":["verify"]`),
		"JWK with certificates that nobody can read": jwk(t, madeKey(t, "RS256").public, "", `"x5c":["AAAA"]`, `"x5t":"?"`, `"x5u":":"`),
		"two":              ec.public + "\nin between\n" + madeKey(t, "RS256").public,
		"text around":      "# the key of staging\n" + madeKey(t, "RS256").public + "\n\n",
		"set":              `{"keys":[` + jwk(t, ec.public, "a") + "," + jwk(t, madeKey(t, "RS256").public, "") + `]}`,
		"set, other kinds": `{"keys":[{"kty":"AKP"},{"kty":"EC","crv":"secp256k1","x":"","y":""},` + jwk(t, madeKey(t, "RS256").public, "") + `,` + jwk(t, ec.public, "", `"use":"enc"`) + `]}`,
	} {
		t.Run(name, func(t *testing.T) { accept(t, by(t, file), token) })
	}
	keys, err := parseKeyFile([]byte(jwk(t, ec.public, "") + "\n"))
	if err != nil || len(keys) != 1 || keys[0].signer != nil {
		t.Errorf("%v, %v", keys, err)
	}
}

func TestSecretIsTheTextItself(t *testing.T) {
	secret := strings.Repeat("pass wörd ", 4) // spaces at its end count
	token := forged(t, `{"alg":"HS256"}`, with(nil), hs256(secret))
	for _, file := range []string{secret, secret + "\n", secret + "\r\n", secret + "\n\n\n"} {
		accept(t, by(t, file), token)
	}
	refuseWith(t, by(t, strings.TrimSpace(secret)), token, "signature is wrong")
}

func TestWeakAndWrongKeys(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&weak.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	p := madeKey(t, "ES256")
	block, _ := pem.Decode([]byte(p.public))
	private, _ := pem.Decode([]byte(p.file))
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := x509.MarshalPKCS8PrivateKey(small)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("s", 64)
	for _, test := range []struct{ name, file, want string }{
		{"nothing", "", "it is empty"},
		{"nothing but lines", "\n \n", "it is empty"},
		{"a short secret", strings.Repeat("s", 31) + "\n", "a secret of 31 bytes is too short: HS256 needs 32 or more"},
		{"a short oct", secretJWK("", strings.Repeat("s", 31)), "a secret of 31 bytes is too short: HS256 needs 32 or more"},
		{"a short oct in a set", `{"keys":[` + secretJWK("a", long) + "," + secretJWK("b", "s") + `]}`, "keys[1]: a secret of 1 bytes is too short"},
		{"an oct too short for its alg", strings.Replace(secretJWK("", strings.Repeat("s", 40)), "{", `{"alg":"HS512",`, 1), "a secret of 40 bytes is too short: HS512 needs 64 or more"},
		{"no oct at all", `{"kty":"oct"}`, `its "oct" key cannot be read`},
		{"two lines", long + "\n" + long + "\n", "nor a secret, which is one line of text"},
		{"binary", long + "\x00", "nor a secret, which is one line of text"},
		{"UTF-16", strings.ReplaceAll(long, "s", "s\x00"), "nor a secret, which is one line of text"},
		{"weak RSA", pemOf("PUBLIC KEY", spki), "an RSA key of 1024 bits is not accepted: it must have 2048 to 8192"},
		{"weak RSA, private", pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(weak)), "an RSA key of 1024 bits is not accepted"},
		{"weak RSA beside another", p.public + pemOf("PUBLIC KEY", spki), "an RSA key of 1024 bits is not accepted"},
		{"a small curve", pemOf("PRIVATE KEY", p224), "curve P-224 is not accepted: use P-256, P-384 or P-521"},
		{"encrypted", pemOf("ENCRYPTED PRIVATE KEY", private.Bytes), "its key is encrypted: write it without a password"},
		{"a request", pemOf("CERTIFICATE REQUEST", private.Bytes), `"CERTIFICATE REQUEST" is no key that tokens are signed with`},
		{"damaged PEM", strings.Replace(p.public, "M", "", 1), "cannot be read"},
		{"PEM on one line", strings.ReplaceAll(p.public, "\n", " "), "its PEM cannot be read: BEGIN and END stand on lines of their own"},
		{"half of PEM", p.public[:len(p.public)/2], "its PEM cannot be read"},
		{"one and a half of PEM", p.public + p.public[:len(p.public)/2], "its PEM cannot be read"},
		{"DER", string(block.Bytes), "nor a secret"},
		{"DER in base64", base64.StdEncoding.EncodeToString(block.Bytes), "a key that others may know"},
		{"private DER in base64", base64.RawURLEncoding.EncodeToString(private.Bytes) + "\n", "a key that others may know"},
		{"PEM in base64", base64.StdEncoding.EncodeToString([]byte(p.public)), "a key that others may know"},
		{"a JWK in base64", base64.StdEncoding.EncodeToString([]byte(jwk(t, p.public, ""))), "a key that others may know"},
		{"PEM in an oct", secretJWK("", p.public), "a key that others may know"},
		{"DER in an oct", secretJWK("", string(block.Bytes)), "a key that others may know"},
		{"ssh", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZvcmdvb2RuZXNzc2FrZWRvbnR1c2V0aGlz alice@example", "a key that others may know"},
		{"JSON", `{"a":1}`, `it is no JWK, which has "kty", and no set, which has "keys"`},
		{"no JSON", `{"kty":`, "it is no JWK"},
		{"an empty set", `{"keys":[]}`, "none of its keys is for verifying signatures"},
		{"a set of others", `{"keys":[{"kty":"EC","use":"enc"},{"kty":"X"}]}`, "none of its keys is for verifying signatures"},
		{"for encryption", jwk(t, p.public, "", `"use":"enc"`), `it is not for verifying signatures: its use is "enc"`},
		{"for other operations", jwk(t, p.public, "", `"key_ops":["deriveKey"]`), "its key_ops lack verify"},
		{"to sign only", jwk(t, p.public, "", `"key_ops":["sign"]`), "its key_ops lack verify"},
		{"for another algorithm", jwk(t, p.public, "", `"alg":"ECDH-ES"`), `its alg is "ECDH-ES"`},
		{"for an algorithm of another kind", jwk(t, p.public, "", `"alg":"HS256"`), "the key is for ES256, and only HS256 is accepted"},
		{"no point of the curve", strings.Replace(jwk(t, p.public, ""), `"x":"`, `"x":"AA`, 1), `its "EC" key cannot be read`},
		{"a member twice", jwk(t, p.public, "", `"kty":"oct"`, `"k":"c2VjcmV0"`), "it is no JWK"},
		{"too many", `{"keys":[` + strings.Repeat("{},", 100) + `{}]}`, "it has 101 keys: at most 100 are accepted"},
		{"too large", strings.Repeat("s", maxKeyFileBytes+1), "it has more than 1048576 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			name := inFile(t, test.file)
			_, err := NewVerifier(VerifierConfig{Sources: []Source{{Issuer: "me", File: name}}})
			if err == nil {
				t.Fatal("it was accepted")
			}
			if !strings.HasPrefix(err.Error(), `keys of "me": `+name+": ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q, want %q", err, test.want)
			}
			for line := range strings.Lines(test.file) {
				if line = strings.TrimSpace(line); len(line) > 12 && strings.Contains(err.Error(), line) {
					t.Errorf("the error has a part of the file: %v", err)
				}
			}
		})
	}
}

func TestWrongSources(t *testing.T) {
	secret, ec := inFile(t, strings.Repeat("s", 40)), inFile(t, madeKey(t, "ES256").file)
	for _, test := range []struct {
		name    string
		sources []Source
		want    string
	}{
		{"none", nil, "there is no source of keys: name a file or a URL"},
		{"nowhere", []Source{{Issuer: "a"}}, `keys of "a": they are nowhere: name a file or a URL`},
		{"twice", []Source{{File: secret, URL: "https://a.example"}}, "keys: they are in a file and at a URL: name one of them"},
		{"same issuer", []Source{{File: secret}, {File: ec}}, "keys: there are two sources: one must have all the keys"},
		{"no file", []Source{{File: secret + "no"}}, "keys: open " + secret + "no: no such file or directory"},
		{"a folder", []Source{{File: t.TempDir()}}, "is a directory"},
		{"an algorithm", []Source{{File: secret, Algorithms: []string{"none"}}}, `keys: algorithm "none" is unknown: use HS256, HS384,`},
		{"too short for it", []Source{{File: secret, Algorithms: []string{"HS256", "HS512"}}}, "a secret of 40 bytes is too short: HS512 needs 64 or more"},
		{"another kind", []Source{{File: ec, Algorithms: []string{"RS256", "HS256"}}}, "the key is for ES256, and only RS256 or HS256 is accepted"},
		{"http", []Source{{URL: "http://user:pass@a.example/keys"}}, "the keys at http://user:xxxxx@a.example/keys could be changed on the way: use https"},
		{"not quite this machine", []Source{{URL: "http://localhost.a.example/"}}, "use https"},
		{"no URL", []Source{{URL: "a.example"}}, "the URL of the keys is none: write it like https://issuer.example/keys"},
		{"another scheme", []Source{{URL: "file:///etc/passwd"}}, "the URL of the keys is none"},
		{"a secret at a URL", []Source{{URL: "https://a.example", Algorithms: []string{"ES256", "HS256"}}}, "algorithm HS256 needs a secret, and what is at a URL is none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewVerifier(VerifierConfig{Sources: test.sources})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
	if os.Getuid() == 0 {
		return // may read everything
	}
	if err := os.Chmod(secret, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := NewVerifier(VerifierConfig{Sources: []Source{{File: secret}}}); err == nil {
		t.Error("a file that may not be read was read")
	}
}

// A token by a named key is tried with that key alone; without a name a handful
// of keys is tried, and no more.
func TestKeyIDs(t *testing.T) {
	ec := madeKey(t, "ES256")
	other, public, err := NewKey("ES256")
	if err != nil {
		t.Fatal(err)
	}
	set := func(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }
	mine, theirs := jwk(t, ec.public, "mine"), jwk(t, string(public), "theirs")
	v := by(t, set(mine, theirs, jwk(t, madeKey(t, "ES384").public, "large")))
	accept(t, v, sign(t, jwk(t, ec.file, "mine"), with(nil)))
	accept(t, v, sign(t, string(other), with(nil)))
	refuseWith(t, v, sign(t, jwk(t, ec.file, "theirs"), with(nil)), "signature is wrong")
	refuseWith(t, v, sign(t, jwk(t, ec.file, "third"), with(nil)), `its key is unknown: there is none with the id "third" (kid)`)
	refuseWith(t, v, sign(t, jwk(t, ec.file, "large"), with(nil)), `its key "large" is not for ES256`)

	many := []string{mine, theirs}
	for range tries - 2 {
		many = append(many, theirs)
	}
	accept(t, by(t, set(many...)), sign(t, ec.file, with(nil)))
	v = by(t, set(append(many, theirs)...))
	refuseWith(t, v, sign(t, ec.file, with(nil)), "9 keys could have signed it, and it does not say which (kid)")
	accept(t, v, sign(t, jwk(t, ec.file, "mine"), with(nil)))
	accept(t, by(t, ec.public), sign(t, jwk(t, ec.file, "whatever"), with(nil))) // PEM has no ids

	// An alg on a key is the only one.
	rs := madeKey(t, "RS256")
	v = by(t, set(jwk(t, rs.public, "", `"alg":"PS256"`), mine))
	refuseWith(t, v, sign(t, rs.file, with(nil)), `algorithm "RS256" is not accepted: the token must be signed with PS256 or ES256`)
	accept(t, v, sign(t, jwk(t, rs.file, "", `"alg":"PS256"`), with(nil)))
}
