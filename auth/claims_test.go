package auth

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Time is judged to the nanosecond, and what was verified before is judged anew.
func TestTimes(t *testing.T) {
	secret := madeKey(t, "HS256").file
	name := inFile(t, secret)
	for _, test := range []struct {
		name   string
		claims func(now int64) claims
		from   time.Duration // accepted from then
		until  time.Duration // to before then
		early  string
		late   string
	}{
		{"exp", func(now int64) claims { return claims{"exp": now + 3600} }, 0, time.Hour + 10*time.Second,
			"", "the token expired 10s ago, at 2000-01-01T01:00:00Z"},
		{"nbf", func(now int64) claims { return claims{"exp": now + 3600, "nbf": now + 60} }, 50 * time.Second, time.Hour + 10*time.Second,
			"the token is not valid before 2000-01-01T00:01:00Z (nbf), and it is 2000-01-01T00:00:49Z", "expired"},
		{"iat", func(now int64) claims { return claims{"exp": now + 3600, "iat": now + 60} }, 50 * time.Second, time.Hour + 10*time.Second,
			"the token was issued in the future, at 2000-01-01T00:01:00Z (iat), and it is 2000-01-01T00:00:49Z", "expired"},
		{"far away", func(now int64) claims { return claims{"exp": now + 90000} }, time.Hour - 10*time.Second, 25*time.Hour + 10*time.Second,
			"the token expires only at 2000-01-02T01:00:00Z: it must not be valid for longer than 24h0m0s", "expired"},
		{"a fraction", func(now int64) claims { return claims{"exp": float64(now) + 3600.5} }, 0, time.Hour + 10500*time.Millisecond,
			"", "expired"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := test.claims(time.Now().Unix())
				v, err := NewVerifier(VerifierConfig{Sources: []Source{{File: name}}, MaxLifetime: 24 * time.Hour})
				if err != nil {
					t.Fatal(err)
				}
				defer v.Close()
				token := sign(t, secret, c)
				if test.from > 0 {
					time.Sleep(test.from - time.Nanosecond)
					refuseWith(t, v, token, test.early)
					time.Sleep(time.Nanosecond)
				}
				accept(t, v, token)
				time.Sleep(test.until - test.from - time.Nanosecond)
				accept(t, v, token)
				if v.remembered.Len() != 1 {
					t.Error("the token was not remembered")
				}
				time.Sleep(time.Nanosecond)
				refuseWith(t, v, token, test.late)
				v.remembered.Purge()
				refuseWith(t, v, token, test.late)
			})
		})
	}
}

func TestLeeway(t *testing.T) {
	secret := madeKey(t, "HS256").file
	now := time.Now()
	for leeway, want := range map[time.Duration]time.Duration{0: 10 * time.Second, -1: 0, time.Minute: time.Minute} {
		v := newVerifier(t, VerifierConfig{Sources: []Source{{File: inFile(t, secret)}}, Leeway: leeway, Now: func() time.Time { return now }})
		exp := now.Add(-want).Unix()
		refuseWith(t, v, sign(t, secret, claims{"exp": exp}), "expired")
		accept(t, v, sign(t, secret, claims{"exp": exp + 1}))
	}
}

func TestWrongClaims(t *testing.T) {
	secret := madeKey(t, "HS256").file
	v := newVerifier(t, VerifierConfig{Sources: []Source{{File: inFile(t, secret)}}, MaxLifetime: 24 * time.Hour})
	soon := time.Now().Add(time.Hour).Unix()
	for text, want := range map[string]string{
		`{}`:                                 "the token never expires: it must have exp",
		`{"sub":"a"}`:                        "the token never expires: it must have exp",
		`{"EXP":9999999999}`:                 "the token never expires: it must have exp",
		`{"exp":null}`:                       "exp is no time",
		`{"exp":"SOON"}`:                     "exp is no time",
		`{"exp":true}`:                       "exp is no time",
		`{"exp":[SOON]}`:                     "exp is no time",
		`{"exp":1e999}`:                      "exp is no time",
		`{"exp":1e300}`:                      "exp is no time",
		`{"exp":-1}`:                         "exp is no time",
		`{"exp":-1e300}`:                     "exp is no time",
		`{"exp":253402300800}`:               "exp is no time",
		`{"exp":99999999999999999999999999}`: "exp is no time",
		`{"exp":0}`:                          "the token expired",
		`{"exp":-0.0}`:                       "the token expired",
		`{"exp":1e-300}`:                     "the token expired",
		`{"exp":253402300799}`:               "it must not be valid for longer than 24h0m0s",
		`{"exp":SOON,"exp":SOON}`:            "no name comes twice",
		`{"exp":1,"exp":SOON}`:               "no name comes twice",
		`{"exp":SOON,"a":{"b":1,"b":2}}`:     "no name comes twice",
		`{"exp":SOON,"a":[{"b":1,"b":2}]}`:   "no name comes twice",
		`{"exp":SOON,"\u0065xp":SOON}`:       "no name comes twice",
		`{"exp":SOON,"nbf":"SOON"}`:          "nbf is no time",
		`{"exp":SOON,"nbf":null}`:            "nbf is no time",
		`{"exp":SOON,"iat":"SOON"}`:          "iat is no time",
		`{"exp":SOON,"nbf":253402300799}`:    "is not valid before 9999-12-31T23:59:59Z",
		`{"exp":SOON,"sub":7}`:               "sub is no text",
		`{"exp":SOON,"sub":null}`:            "sub is no text",
		`{"exp":SOON,"jti":["a"]}`:           "jti is no text",
		`{"exp":SOON,"iss":7}`:               "iss is no text",
		`{"exp":SOON,"iss":["a"]}`:           "iss is no text",
	} {
		middle := strings.ReplaceAll(text, "SOON", fmt.Sprint(soon))
		t.Run(text, func(t *testing.T) {
			refuseWith(t, v, assembled(`{"alg":"HS256"}`, middle, hs256(secret)), want)
		})
	}
	deep := fmt.Sprintf(`{"exp":%d,"a":%s1%s}`, soon, strings.Repeat("[", 5000), strings.Repeat("]", 5000))
	accept(t, v, assembled(`{"alg":"HS256"}`, deep, hs256(secret)))
}

func TestClaimsAreWhole(t *testing.T) {
	secret := madeKey(t, "HS256").file
	const middle = `{"exp":9999999999,"Exp":1,"n":12345678901234567890,"f":1e400,"nave":{"publish":["a"],"deep":[{"n":1}]},"z":null}`
	got := accept(t, by(t, secret), assembled(`{"alg":"HS256"}`, middle, hs256(secret))).All
	want := claims{
		"exp": json.Number("9999999999"), "Exp": json.Number("1"), "n": json.Number("12345678901234567890"), "f": json.Number("1e400"),
		"nave": claims{"publish": []any{"a"}, "deep": []any{claims{"n": json.Number("1")}}}, "z": nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAudience(t *testing.T) {
	secret := madeKey(t, "HS256").file
	v := newVerifier(t, VerifierConfig{Sources: []Source{
		{File: inFile(t, secret), Audience: []string{"hub", "hub2"}},
		{File: inFile(t, secret), Issuer: "lax"},
	}})
	for _, aud := range []any{"hub", "hub2", []string{"hub"}, []string{"other", "hub2"}} {
		accept(t, v, sign(t, secret, with(claims{"aud": aud})))
	}
	for _, test := range []struct {
		aud  any
		want string
	}{
		{"other", `the token is for somebody else: its audience (aud) must have "hub" or "hub2"`},
		{"hub hub2", "for somebody else"}, {"HUB", "for somebody else"}, {"", "for somebody else"},
		{[]string{"a", "b"}, "for somebody else"},
		{[]string{}, "does not say whom it is for"}, {nil, "does not say whom it is for"},
		{7, "neither a text nor a list"}, {[]any{"hub", 7}, "neither a text nor a list"}, {claims{"hub": "hub"}, "neither a text nor a list"},
	} {
		refuseWith(t, v, sign(t, secret, with(claims{"aud": test.aud})), test.want)
		accept(t, v, sign(t, secret, with(claims{"aud": test.aud, "iss": "lax"})))
	}
	refuseWith(t, v, sign(t, secret, with(nil)), "does not say whom it is for")
}

// An issuer's tokens are judged by its own keys, whatever ids they have.
func TestIssuers(t *testing.T) {
	a, b := madeKey(t, "ES256"), madeKey(t, "EdDSA")
	other, public, err := NewKey("ES256")
	if err != nil {
		t.Fatal(err)
	}
	v := newVerifier(t, VerifierConfig{Sources: []Source{
		{Issuer: "a", File: inFile(t, jwk(t, a.public, "k"))},
		{Issuer: "b", File: inFile(t, jwk(t, b.public, "k"))},
		{Issuer: "c", File: inFile(t, jwk(t, string(public), "k"))},
	}})
	keyOf := map[string]string{"a": jwk(t, a.file, "k"), "b": jwk(t, b.file, "k"), "c": jwk(t, string(other), "k")}
	for signer, key := range keyOf {
		for issuer := range keyOf {
			token := sign(t, key, with(claims{"iss": issuer}))
			switch {
			case signer == issuer:
				accept(t, v, token)
			case signer == "b" || issuer == "b":
				refuseWith(t, v, token, "is not accepted")
			default:
				refuseWith(t, v, token, "signature is wrong")
			}
		}
		refuseWith(t, v, sign(t, key, with(claims{"iss": "d"})), `the token's issuer "d" is unknown`)
		refuseWith(t, v, sign(t, key, with(claims{"iss": strings.Repeat("d", 100)})), `ddd"… is unknown`)
		refuseWith(t, v, sign(t, key, with(nil)), "the token does not say who issued it (iss)")
	}
	// The source for all others is not for those that have one.
	v = newVerifier(t, VerifierConfig{Sources: []Source{{File: inFile(t, a.public)}, {Issuer: "c", File: inFile(t, string(public))}}})
	accept(t, v, sign(t, a.file, with(claims{"iss": "anybody"})))
	accept(t, v, sign(t, a.file, with(nil)))
	refuseWith(t, v, sign(t, a.file, with(claims{"iss": "c"})), "signature is wrong")
	refuseWith(t, v, sign(t, string(other), with(claims{"iss": "anybody"})), "signature is wrong")
}
