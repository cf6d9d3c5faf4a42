package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/navehub/nave/auth"
)

func keyFile(data string) string { return filepath.Join(data, "hub.key") }

// readKey reads the key that tokens are signed with, or makes one.
func readKey(data string) ([]byte, error) {
	key, err := os.ReadFile(keyFile(data))
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if key, _, err = auth.NewKey("HS256"); err != nil {
		return nil, err
	}
	// By another name first: whoever is interrupted must not leave half a key.
	draft := keyFile(data) + ".new"
	if err := os.WriteFile(draft, key, 0o600); err != nil {
		return nil, err
	}
	return key, os.Rename(draft, keyFile(data))
}
