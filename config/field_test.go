package config

import "testing"

// The tags are data; here they are proof-read.
func TestFields(t *testing.T) {
	sample := Config{Topics: make(Topics, 1)}
	setDefaults(&sample)
	seen := make(map[string]string)
	for f := range sample.all() {
		if doc := f.tag.Get("doc"); doc == "" || doc[len(doc)-1] != '.' {
			t.Errorf("%s is explained by %q, which is no sentence", f.path, doc)
		}
		if _, ok := f.tag.Lookup("default"); ok != f.isSetting() && f.path != "topics[0].filter" {
			t.Errorf("%s: has a default: %t", f.path, ok)
		}
		if other, taken := seen[variable(f.path)]; taken {
			t.Errorf("%s and %s have the same variable", f.path, other)
		}
		seen[variable(f.path)] = f.path
		if !f.isSetting() {
			continue
		}
		before := f.text()
		if err := f.set(before); err != nil || f.text() != before {
			t.Errorf("%s: %q is read as %q, %v", f.path, before, f.text(), err)
		}
	}
}

func TestSnakeCase(t *testing.T) {
	for name, want := range map[string]string{"MaxLag": "max_lag", "CORS": "cors", "IdempotencyWindow": "idempotency_window", "Log": "log"} {
		if got := snakeCase(name); got != want {
			t.Errorf("%s becomes %s, want %s", name, got, want)
		}
	}
}
