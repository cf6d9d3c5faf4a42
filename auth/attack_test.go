package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

var base64url = base64.RawURLEncoding

// forged is a token with any header, signed as the attacker likes.
func forged(t testing.TB, header string, c claims, signature func(input string) []byte) string {
	t.Helper()
	middle, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return assembled(header, string(middle), signature)
}

func assembled(header, middle string, signature func(input string) []byte) string {
	input := base64url.EncodeToString([]byte(header)) + "." + base64url.EncodeToString([]byte(middle))
	return input + "." + base64url.EncodeToString(signature(input))
}

func unsigned(string) []byte { return nil }

func hs256(secret string) func(string) []byte {
	return func(input string) []byte {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(input))
		return mac.Sum(nil)
	}
}

// cut takes a token apart, changes a part, and puts it together.
func cut(token string, part int, change func(string) string) string {
	parts := strings.Split(token, ".")
	parts[part] = change(parts[part])
	return strings.Join(parts, ".")
}

func TestUnsignedIsRefused(t *testing.T) {
	for _, a := range []string{"HS256", "RS256", "ES256", "EdDSA"} {
		p := madeKey(t, a)
		v := by(t, p.file)
		signed := sign(t, p.file, with(nil))
		for _, none := range []string{"none", "None", "NONE", "nOnE", "", " none", "none ", "HS256 ", "hs256", "ES256K", "RS1", "dir"} {
			header := fmt.Sprintf(`{"alg":%q}`, none)
			want := fmt.Sprintf("algorithm %q is not accepted: the token must be signed with", none)
			refuseWith(t, v, forged(t, header, with(nil), unsigned), want)
			refuseWith(t, v, forged(t, header, with(nil), hs256("")), want)
			// over a signature that is right for another header
			refuseWith(t, v, cut(signed, 0, func(string) string { return base64url.EncodeToString([]byte(header)) }), want)
		}
		for _, header := range []string{`{}`, `{"alg":null}`, `{"ALG":"` + a + `"}`, `{"alg":["none"]}`, `{"alg":"none","alg":"` + a + `"}`, `null`, `[]`, ``, `{"alg":"` + a + `"}}`} {
			refuseWith(t, v, forged(t, header, with(nil), unsigned), "the token's header cannot be read")
		}
		refuseWith(t, v, forged(t, `{"alg":"`+a+`"}`, with(nil), unsigned), "signature is wrong")
	}
}

// What anybody can know of a key must not be a secret: not in the form of its
// file, nor in another one.
func TestPublicKeyIsNoSecret(t *testing.T) {
	for _, a := range []string{"RS256", "ES256", "EdDSA"} {
		p := madeKey(t, a)
		block, _ := pem.Decode([]byte(p.public))
		for _, secret := range []string{p.public, strings.TrimSpace(p.public), string(block.Bytes), base64.StdEncoding.EncodeToString(block.Bytes)} {
			for _, h := range []string{"HS256", "HS384", "HS512"} {
				header := fmt.Sprintf(`{"alg":%q}`, h)
				token := forged(t, header, with(nil), hs256(secret))
				refuseWith(t, by(t, p.public), token, "algorithm \""+h+"\" is not accepted")
				refuseWith(t, by(t, p.file), token, "algorithm \""+h+"\" is not accepted")
				// not even beside a secret, where HS256 is accepted
				both := fmt.Sprintf(`{"keys":[%s,%s]}`, jwk(t, p.public, ""), secretJWK("beside", madeKey(t, "HS256").file))
				refuseWith(t, by(t, both), forged(t, `{"alg":"HS256"}`, with(nil), hs256(secret)), "signature is wrong")
			}
		}
		// A source that expects secrets does not take the key for one.
		_, err := NewVerifier(VerifierConfig{Sources: []Source{{File: inFile(t, p.public), Algorithms: []string{"HS256"}}}})
		if err == nil || !strings.Contains(err.Error(), "and only HS256 is accepted") {
			t.Errorf("error %v", err)
		}
	}
}

func TestOtherKeysAndAlgorithms(t *testing.T) {
	for _, a := range []string{"HS256", "RS256", "ES256", "EdDSA"} {
		other, _, err := NewKey(strings.Replace(a, "RS256", "PS256", 1))
		if err != nil {
			t.Fatal(err)
		}
		v := by(t, madeKey(t, a).file)
		refuseWith(t, v, sign(t, string(other), with(nil)), "signature is wrong")
		for _, b := range []string{"HS256", "RS256", "ES256", "ES384", "EdDSA"} {
			if a != b {
				refuseWith(t, v, sign(t, madeKey(t, b).file, with(nil)), "is not accepted: the token must be signed with "+a[:2])
			}
		}
	}
	v := newVerifier(t, VerifierConfig{Sources: []Source{{File: inFile(t, madeKey(t, "RS256").public), Algorithms: []string{"PS256", "PS384"}}}})
	refuseWith(t, v, sign(t, madeKey(t, "RS256").file, with(nil)), `algorithm "RS256" is not accepted: the token must be signed with PS256 or PS384`)
}

// What is in the header is signed by whoever writes it.
func TestHeaderBringsNoKey(t *testing.T) {
	mine, theirs := madeKey(t, "ES256"), madeKey(t, "ES384")
	attacker, public, err := NewKey("ES256")
	if err != nil {
		t.Fatal(err)
	}
	v := by(t, mine.public)
	for _, extra := range []string{
		`"jwk":` + jwk(t, string(public), ""),
		`"jku":"http://127.0.0.1:1/keys"`, `"x5u":"http://127.0.0.1:1/cert"`,
		`"jwk":` + jwk(t, string(public), "k") + `,"kid":"k"`,
		`"kid":"../../../../dev/null"`, `"kid":"' OR 1=1 --"`,
	} {
		header := `{"alg":"ES256","typ":"JWT",` + extra + `}`
		refuseWith(t, v, forged(t, header, with(nil), es256(t, string(attacker))), "signature is wrong")
		accept(t, v, forged(t, header, with(nil), es256(t, mine.file)))
	}
	refuseWith(t, v, forged(t, `{"alg":"ES256","jwk":`+jwk(t, theirs.public, "")+`}`, with(nil), es256(t, string(attacker))), "signature is wrong")
}

func TestExtensionsAndOthersInside(t *testing.T) {
	secret := madeKey(t, "HS256").file
	v := by(t, secret)
	for header, want := range map[string]string{
		`{"alg":"HS256","crit":["exp"]}`:                 "demands extensions",
		`{"alg":"HS256","crit":[]}`:                      "demands extensions",
		`{"alg":"HS256","crit":["b64"],"b64":true}`:      "demands extensions",
		`{"alg":"HS256","b64":false}`:                    "demands extensions",
		`{"alg":"HS256","cty":"JWT"}`:                    "has another one in it",
		`{"alg":"HS256","cty":"application/jwt"}`:        "has another one in it",
		`{"alg":"HS256","enc":"A256GCM"}`:                "is encrypted",
		`{"alg":"HS256","kid":7}`:                        "header cannot be read",
		`{"alg":"HS256","typ":"JWT","kid":"a","kid":""}`: "header cannot be read",
	} {
		refuseWith(t, v, forged(t, header, with(nil), hs256(secret)), want)
	}
	inner := sign(t, secret, with(nil))
	for _, middle := range []string{inner, `"` + inner + `"`, `[]`, `null`, `7`, ``, `{`, `{} {}`, `{}x`, "{\"sub\":\"\xff\"}", `{"sub":NaN}`, `{"sub":Infinity}`} {
		refuseWith(t, v, assembled(`{"alg":"HS256"}`, middle, hs256(secret)), "claims cannot be read")
	}
}

func TestForm(t *testing.T) {
	secret := madeKey(t, "HS256").file
	v := by(t, secret)
	good := sign(t, secret, with(nil))
	accept(t, v, good)
	for token, want := range map[string]string{
		"":                         "the token is empty",
		"x":                        "a JWT has 3 parts, and it has 1",
		"a.b":                      "a JWT has 3 parts, and it has 2",
		good + ".":                 "a JWT has 3 parts, and it has 4",
		good + ".a.b":              "the token is encrypted",
		good + "=":                 "in base64url",
		good + "\n":                "the signature of a JWT is in base64url",
		" " + good:                 "the header of a JWT is in base64url",
		strings.Repeat(".", 16384): "it has 16385",
		good + strings.Repeat("A", 16385-len(good)): "the token has 16385 bytes: at most 16384 are accepted",
		"Bearer " + good: "in base64url",
	} {
		refuseWith(t, v, token, want)
	}
	for i := range 3 { // white space, and bits that do not count
		refuseWith(t, v, cut(good, i, func(s string) string { return s[:2] + "\n" + s[2:] }), "in base64url")
	}
	refuseWith(t, v, cut(good, 2, func(s string) string { return s[:len(s)-1] + next(s[len(s)-1]) }), "in base64url")
	for n := range 43 { // truncated
		refuseWith(t, v, cut(good, 2, func(s string) string { return s[:n] }), "")
	}
}

// next has other bits below those that count.
func next(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, c)^1:][:1]
}

func TestEveryByteCounts(t *testing.T) {
	for _, a := range []string{"HS256", "RS256", "ES256", "EdDSA"} {
		p := madeKey(t, a)
		v := by(t, p.file)
		good := sign(t, p.file, with(nil))
		for i := range good {
			if good[i] == '.' {
				continue
			}
			if c, err := v.Verify(t.Context(), good[:i]+next(good[i])+good[i+1:]); err == nil {
				t.Errorf("%s: byte %d of %d changed, and accepted: %v", a, i, len(good), c.All)
			}
		}
	}
}

func TestECDSASignatures(t *testing.T) {
	p := madeKey(t, "ES256")
	v := by(t, p.file)
	good := sign(t, p.file, with(nil))
	parts := strings.Split(good, ".")
	signature, err := base64url.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	as := func(r, s *big.Int) string {
		return cut(good, 2, func(string) string {
			return base64url.EncodeToString(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
		})
	}
	zero, one := new(big.Int), big.NewInt(1)
	for name, token := range map[string]string{
		"zero": as(zero, zero), "zero r": as(zero, s), "zero s": as(r, zero), "one": as(one, one),
		"n": as(n, n), "r is n": as(n, s), "s is n": as(r, n), "swapped": as(s, r),
	} {
		t.Run(name, func(t *testing.T) { refuseWith(t, v, token, "signature is wrong") })
	}
	der, err := ecdsa.SignASN1(nil, parseKeyOf(t, p.file).(*ecdsa.PrivateKey), digestOf(parts[0]+"."+parts[1]))
	if err != nil {
		t.Fatal(err)
	}
	refuseWith(t, v, cut(good, 2, func(string) string { return base64url.EncodeToString(der) }), "signature is wrong")
	for _, wrong := range []string{as(r, s) + "AA", cut(good, 2, func(s string) string { return s[:84] })} {
		refuseWith(t, v, wrong, "")
	}
	// Anybody can make this one of the other. So that revoking one revokes both,
	// both are the same token.
	twin := as(r, new(big.Int).Sub(n, s))
	if twin == good || accept(t, v, twin).Fingerprint != accept(t, v, good).Fingerprint {
		t.Error("a second signature makes another token")
	}
}

func digestOf(input string) []byte {
	sum := sha256.Sum256([]byte(input))
	return sum[:]
}

// parseKeyOf is the private half.
func parseKeyOf(t testing.TB, file string) any {
	t.Helper()
	keys, err := parseKeyFile([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return keys[0].signer
}

func es256(t testing.TB, file string) func(string) []byte {
	private := parseKeyOf(t, file).(*ecdsa.PrivateKey)
	return func(input string) []byte {
		r, s, err := ecdsa.Sign(nil, private, digestOf(input))
		if err != nil {
			t.Fatal(err)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
}

// jwk writes the first key of a file as a JWK; further members are written as
// "name":value.
func jwk(t testing.TB, file, id string, further ...string) string {
	t.Helper()
	keys, err := parseKeyFile([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	material := keys[0].verifier
	if strings.Contains(file, "PRIVATE") {
		material = keys[0].signer
	}
	written, err := json.Marshal(jose.JSONWebKey{Key: material, KeyID: id})
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(written), "}") + strings.Join(append([]string{""}, further...), ",") + "}"
}

func secretJWK(id, secret string) string {
	return fmt.Sprintf(`{"kty":"oct","kid":%q,"k":%q}`, id, base64url.EncodeToString([]byte(secret)))
}
