package auth

import (
	"fmt"
	"strings"
	"testing"
)

// What is remembered is no second way in: another text, or another signature, is
// judged from the start.
func TestRemembered(t *testing.T) {
	p := madeKey(t, "HS256")
	v := by(t, p.file)
	good := sign(t, p.file, with(nil))
	first := accept(t, v, good)
	if again := accept(t, v, good); again != first {
		t.Error("it was judged anew")
	}
	other := sign(t, strings.Repeat("x", 43), with(nil))
	for range 2 {
		refuseWith(t, v, other, "signature is wrong")
		refuseWith(t, v, cut(good, 2, func(string) string { return strings.Split(other, ".")[2] }), "signature is wrong")
	}
	if n := v.remembered.Len(); n != 1 {
		t.Errorf("%d tokens are remembered", n)
	}
}

// A token by a key that is gone is refused, although it was verified before.
func TestRememberedKeyIsGone(t *testing.T) {
	p, other := madeKey(t, "ES256"), madeKey(t, "ES384")
	v := by(t, p.public)
	good := sign(t, p.file, with(nil))
	accept(t, v, good)
	keys, err := parseKeyFile([]byte(p.public))
	if err != nil {
		t.Fatal(err)
	}
	v.sources[0].keep(newKeySet(keys)) // the same ones
	if old := v.sources[0].keys.Load(); old == nil || &old.keys[0] == &keys[0] {
		t.Error("keys that are the same are taken for others")
	}
	keys, err = parseKeyFile([]byte(other.public))
	if err != nil {
		t.Fatal(err)
	}
	v.sources[0].keep(newKeySet(keys))
	refuseWith(t, v, good, "its key is unknown: there is none for ES256")
}

func TestMemoryIsBounded(t *testing.T) {
	p := madeKey(t, "HS256")
	v := by(t, p.file)
	for i := range rememberedTokens + 10 {
		accept(t, v, sign(t, p.file, with(claims{"n": i})))
	}
	if n := v.remembered.Len(); n != rememberedTokens {
		t.Errorf("%d tokens are remembered", n)
	}
	v.remembered.Purge()
	accept(t, v, sign(t, p.file, with(claims{"pad": strings.Repeat("x", rememberedTokenBytes)})))
	if n := v.remembered.Len(); n != 0 {
		t.Error("a long token is remembered")
	}
}

func TestUsedByMany(t *testing.T) {
	p := madeKey(t, "HS256")
	v := by(t, p.file)
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			for n := range 100 {
				accept(t, v, sign(t, p.file, with(claims{"n": n})))
			}
		})
	}
}
