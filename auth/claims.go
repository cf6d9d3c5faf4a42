package auth

import (
	"encoding/json"
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// Claims are what a token that was verified says. They are shared: nobody may
// change them.
type Claims struct {
	Issuer, Subject, ID string    // iss, sub, jti
	Issued, Expires     time.Time // Issued is zero without iat
	// Fingerprint is the token's, as [Fingerprint] gives it.
	Fingerprint [32]byte
	// All has every claim; numbers are of type [json.Number].
	All map[string]any

	notBefore time.Time              // zero without nbf
	trusted   func() bool            // whether the key that signed it is still one
	identity  atomic.Pointer[worked] // out by an Authority, once it has asked
}

// readClaims takes the claims of a token whose signature is right. It does not
// look at the time.
func readClaims(t *token) (*Claims, error) {
	c := &Claims{Fingerprint: Fingerprint(t.text), All: t.claims}
	for name, into := range map[string]*string{"iss": &c.Issuer, "sub": &c.Subject, "jti": &c.ID} {
		var ok bool
		if *into, ok = text(t.claims, name); !ok {
			return nil, refuse("the token's %s is no text", name)
		}
	}
	for name, into := range map[string]*time.Time{"exp": &c.Expires, "nbf": &c.notBefore, "iat": &c.Issued} {
		var ok bool
		if *into, ok = date(t.claims, name); !ok {
			return nil, refuse("the token's %s is no time: it is a number of seconds since 1970", name)
		}
	}
	if c.Expires.IsZero() {
		return nil, refuse("the token never expires: it must have exp")
	}
	return c, nil
}

// text is "" for a claim that is not there.
func text(claims map[string]any, name string) (string, bool) {
	switch v := claims[name].(type) {
	case string:
		return v, true
	case nil:
		_, null := claims[name]
		return "", !null
	}
	return "", false
}

// date is zero for a claim that is not there. Years have four digits.
func date(claims map[string]any, name string) (time.Time, bool) {
	v, ok := claims[name]
	if !ok {
		return time.Time{}, true
	}
	number, ok := v.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	const last = 253402300799 // the end of 9999
	seconds, err := number.Float64()
	if err != nil || !(seconds >= 0 && seconds <= last) {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), true
}

// audience is who the token is for; it reports false for what is neither a text
// nor a list of them.
func audience(claims map[string]any) ([]string, bool) {
	switch v := claims["aud"].(type) {
	case string:
		return []string{v}, true
	case []any:
		var all []string
		for _, member := range v {
			name, ok := member.(string)
			if !ok {
				return nil, false
			}
			all = append(all, name)
		}
		return all, true
	case nil:
		return nil, true
	}
	return nil, false
}

// meant refuses a token that is for somebody else.
func (s *source) meant(claims map[string]any) error {
	if len(s.Audience) == 0 {
		return nil
	}
	got, ok := audience(claims)
	switch {
	case !ok:
		return refuse("the token's aud is neither a text nor a list of texts")
	case len(got) == 0:
		return refuse("the token does not say whom it is for: its audience (aud) must have %s", quoted(s.Audience))
	case !slices.ContainsFunc(got, func(name string) bool { return slices.Contains(s.Audience, name) }):
		return refuse("the token is for somebody else: its audience (aud) must have %s", quoted(s.Audience))
	}
	return nil
}

// timely refuses a token whose time has passed, or has not come.
func (v *Verifier) timely(c *Claims, now time.Time) error {
	switch {
	case !now.Before(c.Expires.Add(v.leeway)):
		return refuse("the token expired %v ago, at %s", now.Sub(c.Expires).Round(time.Second), stamp(c.Expires))
	case v.maxLifetime > 0 && (c.Expires.Sub(now) > v.maxLifetime+v.leeway || !c.Issued.IsZero() && c.Expires.Sub(c.Issued) > v.maxLifetime):
		return refuse("the token expires only at %s: it must not be valid for longer than %v", stamp(c.Expires), v.maxLifetime)
	case c.notBefore.After(now.Add(v.leeway)):
		return refuse("the token is not valid before %s (nbf), and it is %s", stamp(c.notBefore), stamp(now))
	case c.Issued.After(now.Add(v.leeway)):
		return refuse("the token was issued in the future, at %s (iat), and it is %s: a clock is wrong", stamp(c.Issued), stamp(now))
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
