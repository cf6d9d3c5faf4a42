package config_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/navehub/nave/config"
)

func Example() {
	dir, err := os.MkdirTemp("", "nave")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "nave.yaml")
	if err := os.WriteFile(file, []byte("client:\n  heartbeat: 20s\n  max_lag: 5m\n"), 0o600); err != nil {
		panic(err)
	}

	c, sources, err := config.Load(config.Options{
		File:  file,
		Env:   []string{"NAVE_CLIENT_MAX_LAG=90s"},           // os.Environ()
		Flags: map[string]string{"listen": "localhost:8080"}, // those that were given
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(c.Listen, c.Client.Heartbeat, c.Client.MaxLag, c.Limits.Body)
	fmt.Println(sources.Of("client.max_lag"))
	// Output:
	// localhost:8080 20s 1m30s 1MiB
	// NAVE_CLIENT_MAX_LAG
}
