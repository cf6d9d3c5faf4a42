package server

import (
	"os"
	"path/filepath"
	"time"

	"github.com/navehub/nave/auth"
)

// access is the key that a hub knows its callers by.
type access struct{ key []byte }

// demand is the environment of a hub that demands a token. One subject has all
// connections, and publishes all.
func (a *access) demand(dir string) (env []string, err error) {
	file := filepath.Join(dir, "nave.key")
	if a.key == nil {
		if a.key, _, err = auth.NewKey("HS256"); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, a.key, 0o600); err != nil {
			return nil, err
		}
	}
	return []string{
		"NAVE_AUTH_KEY=" + file,
		"NAVE_AUTH_ANONYMOUS_PUBLISH=", "NAVE_AUTH_ANONYMOUS_SUBSCRIBE=", "NAVE_AUTH_ANONYMOUS_ADMIN=",
		"NAVE_LIMITS_CONNECTIONS_PER_SUBJECT=20000", "NAVE_LIMITS_PUBLISH_RATE_PER_SUBJECT=0",
	}, nil
}

// token may do everything, for a day.
func (a *access) token() (string, error) {
	all := []string{"**"}
	return auth.Sign(a.key, map[string]any{
		"sub": "bench", "iat": time.Now().Unix(), "exp": time.Now().Add(24 * time.Hour).Unix(),
		"nave": map[string]any{"publish": all, "subscribe": all, "admin": all},
	})
}
