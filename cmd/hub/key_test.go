package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/navehub/nave/auth"
)

// verified is what a hub with the key would take the token for.
func verified(t *testing.T, key, token string) *auth.Claims {
	t.Helper()
	v, err := auth.NewVerifier(auth.VerifierConfig{Sources: []auth.Source{{File: key}}})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	claims, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestKeyAndToken(t *testing.T) {
	for algorithm, verifying := range map[string]string{"HS256": "", "ES256": ".pub", "EdDSA": ".pub", "RS256": ".pub"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Chdir(t.TempDir())
			r := hubCommand(t, "", "key", "--algorithm", algorithm)
			for _, want := range []string{
				"nave.key is for " + algorithm, " serve --key nave.key" + verifying + "\n",
				" token --key nave.key --subject alice --subscribe 'cards/**'\n",
			} {
				if r.code != 0 || r.err != "" || !strings.Contains(r.out, want) {
					t.Errorf("%+v lacks %q", r, want)
				}
			}
			info, err := os.Stat("nave.key")
			if err != nil || info.Mode() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
			r = hubCommand(t, "", "token", "--subject", "alice", "--subscribe", "cards/**")
			token, rest, _ := strings.Cut(r.out, "\n")
			if r.code != 0 || r.err != "" || rest != "" {
				t.Fatalf("%+v", r)
			}
			c := verified(t, "nave.key"+verifying, token)
			if lives := time.Until(c.Expires); c.Subject != "alice" || len(c.ID) < 20 || lives > time.Hour || lives < 59*time.Minute {
				t.Errorf("claims %+v", c)
			}
		})
	}
}

func TestTokenSaysAll(t *testing.T) {
	key := filepath.Join(t.TempDir(), "a.key")
	if r := hubCommand(t, "", "key", key); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	t.Setenv(keyVariable, key)
	args := "token --subject alice --publish cards/{sub}/** --publish a,b --subscribe users/{sub} --subscribe ** --admin * --ttl 90s " +
		"--issuer https://issuer.example --audience hub --audience hub2 --id 7 --source board"
	r := hubCommand(t, "", strings.Fields(args)...)
	c := verified(t, key, strings.TrimSpace(r.out))
	seconds := func(name string) int64 {
		n, err := c.All[name].(json.Number).Int64()
		if err != nil {
			t.Error(err)
		}
		return n
	}
	if lives := seconds("exp") - seconds("iat"); lives != 90 {
		t.Errorf("it is valid for %d s", lives)
	}
	delete(c.All, "exp")
	delete(c.All, "iat")
	want := map[string]any{
		"sub": "alice", "iss": "https://issuer.example", "aud": []any{"hub", "hub2"}, "jti": "7",
		"nave": map[string]any{
			"publish": []any{"cards/{sub}/**", "a,b"}, "subscribe": []any{"users/{sub}", "**"}, "admin": []any{"*"}, "source": "board",
		},
	}
	if diff := cmp.Diff(want, c.All); diff != "" {
		t.Error(diff)
	}
	c = verified(t, key, strings.TrimSpace(hubCommand(t, "", strings.Fields("token --subject a --admin a --audience hub")...).out))
	plain := verified(t, key, strings.TrimSpace(hubCommand(t, "", "token", "--subject", "a").out))
	if _, some := plain.All["nave"]; some {
		t.Errorf("claims %v", plain.All)
	}
	if c.All["aud"] != "hub" || !cmp.Equal(c.All["nave"], map[string]any{"admin": []any{"a"}}) {
		t.Errorf("claims %v", c.All)
	}
}

func TestNoKeyIsOverwritten(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, args := range map[string]string{"nave.key": "key", "my.key": "key my.key", "ec.pub": "key ec --algorithm ES256"} {
		if err := os.WriteFile(name, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		r := hubCommand(t, "", strings.Fields(args)...)
		if r.code != exitFailure || r.out != "" || r.err != "hub: "+name+" is there already: name another file, or remove it with all tokens by it\n" {
			t.Errorf("%+v", r)
		}
		if text, err := os.ReadFile(name); string(text) != "mine" || err != nil {
			t.Errorf("%s is %q, %v", name, text, err)
		}
	}
	if _, err := os.Stat("ec"); !os.IsNotExist(err) {
		t.Errorf("half of a pair is left: %v", err)
	}
	if r := hubCommand(t, "", "key", "none/a.key"); r.code != exitFailure || !strings.Contains(r.err, "no such file or directory") {
		t.Errorf("%+v", r)
	}
}

func TestTokenWithoutUsableKey(t *testing.T) {
	t.Chdir(t.TempDir())
	if r := hubCommand(t, "", "key", "ec", "--algorithm", "ES256"); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	if err := os.WriteFile("short", []byte("password"), 0o600); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"":       "hub: open nave.key: no such file or directory: make a key with ",
		"none":   "hub: open none: no such file or directory: make a key with ",
		"ec.pub": "hub: ec.pub: it has only the public half of a key: whoever signs needs the private one\n",
		"short":  "hub: short: a secret of 8 bytes is too short: HS256 needs 32 or more\n",
	} {
		args := strings.Fields("token --subject a --admin a")
		if key != "" {
			args = append(args, "--key", key)
		}
		if r := hubCommand(t, "", args...); r.code != exitFailure || r.out != "" || !strings.HasPrefix(r.err, want) {
			t.Errorf("%q: %+v, want %q", key, r, want)
		}
	}
}
