package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/navehub/nave/config"
)

// Load never panics, and what it has read can be printed and read again.
func FuzzLoad(f *testing.F) {
	var file bytes.Buffer
	c := printed()
	if err := c.Print(&file, nil); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes(), "[{filter: a/*, rate: 3}]", "250ms")
	f.Add([]byte("lissten: &a {b: *a}\n<<: [1, !!str 2]\n? x\n"), "[", "1d")
	f.Add([]byte("data: |\n  a\n  b\ntelemetry: {service: \"\\x41\\u00fc\"}\n"), "- filter: a", "")
	f.Add([]byte("--- %YAML\ndata: 'a''b'\n...\n"), "{}", "x")

	name := filepath.Join(f.TempDir(), "nave.yaml")
	load := func(t *testing.T, text []byte, env ...string) (config.Config, error) {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		c, _, err := config.Load(config.Options{File: name, Env: env})
		return c, err
	}
	f.Fuzz(func(t *testing.T, text []byte, topics, retry string) {
		want, err := load(t, text, "NAVE_TOPICS="+topics, "NAVE_CLIENT_RETRY="+retry)
		if err != nil {
			return
		}
		var file bytes.Buffer
		if err := want.Print(&file, config.Sources{}); err != nil {
			t.Fatal(err)
		}
		got, err := load(t, file.Bytes())
		if err != nil {
			t.Fatalf("%v in:\n%s", err, &file)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-printed +read:\n%s", diff)
		}
	})
}
