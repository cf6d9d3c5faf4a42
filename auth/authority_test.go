package auth

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
)

func identify(t *testing.T, a *Authority, token string) *Identity {
	t.Helper()
	id, err := a.Identify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAuthority(t *testing.T) {
	key := madeKey(t, "HS256").file
	a := NewAuthority(AuthorityConfig{
		Verifier:  by(t, key),
		Default:   Templates{Subscribe: []string{"users/{sub}/**"}},
		Anonymous: NewGrant(Filters{Subscribe: nave.Filters{"public/**"}}),
	})
	alice := identify(t, a, sign(t, key, with(claims{
		"sub": "alice", "jti": "7", "nave": claims{"publish": []string{"cards/*"}, "subscribe": []string{"cards/**"}, "source": "{sub}"},
	})))
	if alice.Subject != "alice" || alice.ID != "7" || alice.Anonymous() || alice.Expires.IsZero() {
		t.Errorf("alice is %+v", alice)
	}
	if !alice.Grant.MayPublish("cards/1") || alice.Grant.MaySubscribe("users/alice/x") || alice.Grant.MaySubscribe("public/x") {
		t.Error("alice may do something else than her token says")
	}
	event := nave.Event{Topic: "cards/1"}
	if err := alice.CheckPublish(&event); err != nil || event.Source != "alice" {
		t.Errorf("source %q, %v", event.Source, err)
	}
	event.Source = "bob"
	if err := alice.CheckPublish(&event); nave.CodeOf(err) != nave.CodeForbidden {
		t.Errorf("alice publishes as bob: %v", err)
	}
	bob := identify(t, a, sign(t, key, with(claims{"sub": "bob"})))
	if !bob.Grant.MaySubscribe("users/bob/**") || bob.Grant.MaySubscribe("users/alice/**") || bob.Grant.MayPublish("users/bob/x") {
		t.Error("bob, whose token lists nothing, may do something else than the default")
	}
	if none := identify(t, a, sign(t, key, with(claims{"sub": "bob", "nave": claims{}}))); none.Grant.MaySubscribe("users/bob/**") {
		t.Error("a token that lists nothing grants something")
	}
	if nobody := a.Anonymous(); !nobody.Anonymous() || !nobody.Grant.MaySubscribe("public/**") || nobody.Grant.MaySubscribe("users/bob/**") {
		t.Error("who is anonymous may do something else than is configured")
	}
	for name, c := range map[string]claims{
		"a grant that cannot be read":      {"sub": "bob", "nave": "all"},
		"a filter that is none":            {"sub": "bob", "nave": claims{"subscribe": []string{"a//b"}}},
		"a claim that is not there":        {"sub": "bob", "nave": claims{"subscribe": []string{"users/{tenant}/**"}}},
		"a default that cannot be applied": {},
	} {
		c := with(c)
		if name == "a default that cannot be applied" {
			delete(c, "sub")
		}
		if id, err := a.Identify(t.Context(), sign(t, key, c)); id != nil || nave.CodeOf(err) != nave.CodeUnauthorised {
			t.Errorf("%s: %v, %v", name, id, err)
		}
	}
	for _, a := range []*Authority{Open(), NewAuthority(AuthorityConfig{})} {
		if id, err := a.Identify(t.Context(), sign(t, key, with(claims{}))); id != nil || nave.CodeOf(err) != nave.CodeUnauthorised {
			t.Errorf("a token where there are no keys: %v, %v", id, err)
		}
	}
	if NewAuthority(AuthorityConfig{}).Anonymous().Grant.MayRead("a") {
		t.Error("by default something is granted")
	}
}

// What was good before is asked about again: revoked, or expired, it is not.
func TestAuthorityChecksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := madeKey(t, "HS256").file
		a := NewAuthority(AuthorityConfig{Verifier: newVerifier(t, VerifierConfig{Sources: []Source{{File: inFile(t, key)}}, Leeway: -1})})
		token := sign(t, key, claims{"sub": "alice", "jti": "7", "exp": time.Now().Add(time.Minute).Unix(), "nave": claims{}})
		id := identify(t, a, token)
		if again := identify(t, a, token); again != id {
			t.Error("what a token grants is worked out again")
		}
		r := Revocation{ID: "7", At: time.Now()}
		_ = a.Revocations().Put(r)
		for name, err := range map[string]error{"Check": a.Check(id), "Identify": second(a.Identify(context.Background(), token))} {
			if nave.CodeOf(err) != nave.CodeUnauthorised || !strings.Contains(err.Error(), "revoked") {
				t.Errorf("%s of a revoked token: %v", name, err)
			}
		}
		a.Revocations().Lift(r.Key())
		if err := a.Check(id); err != nil {
			t.Errorf("a revocation that was lifted: %v", err)
		}
		time.Sleep(time.Minute)
		for name, err := range map[string]error{"Check": a.Check(id), "Identify": second(a.Identify(context.Background(), token))} {
			if nave.CodeOf(err) != nave.CodeUnauthorised || !strings.Contains(err.Error(), "expired") {
				t.Errorf("%s of an expired token: %v", name, err)
			}
		}
	})
}

// A stream is ended by this when its issuer has withdrawn the key.
func TestAuthorityForgetsWithdrawnKeys(t *testing.T) {
	key := madeKey(t, "ES256")
	_, other, err := NewKey("ES256")
	if err != nil {
		t.Fatal(err)
	}
	v := newVerifier(t, VerifierConfig{Sources: []Source{{File: inFile(t, key.public)}}})
	a := NewAuthority(AuthorityConfig{Verifier: v})
	id := identify(t, a, sign(t, key.file, with(claims{"nave": claims{}})))
	keys, _ := parseKeyFile(other)
	both, _ := parseKeyFile([]byte(key.public))
	v.sources[0].keys.Store(newKeySet(append(both, keys...)))
	if err := a.Check(id); err != nil {
		t.Errorf("its key has company: %v", err)
	}
	v.sources[0].keys.Store(newKeySet(keys))
	if err := a.Check(id); nave.CodeOf(err) != nave.CodeUnauthorised || !strings.Contains(err.Error(), "withdrawn") {
		t.Errorf("its key is gone: %v", err)
	}
}

func TestSameAs(t *testing.T) {
	alice := &Identity{Issuer: "here", Subject: "alice"}
	for name, other := range map[string]*Identity{
		"another subject": {Issuer: "here", Subject: "bob"}, "another issuer": {Issuer: "there", Subject: "alice"}, "nobody": {Issuer: "here"},
	} {
		if alice.SameAs(other) || other.SameAs(alice) {
			t.Errorf("alice is the same as %s", name)
		}
	}
	if nobody := (&Identity{Issuer: "here"}); nobody.SameAs(nobody) || !alice.SameAs(alice) {
		t.Error("who has no subject is somebody, or alice is not")
	}
}

func second(_ *Identity, err error) error { return err }
