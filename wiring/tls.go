package wiring

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/navehub/nave/config"
)

// newTLS is how the server speaks TLS; nil if it does not.
func newTLS(cfg config.TLS, logger *slog.Logger) (*tls.Config, error) {
	if !cfg.Enabled() {
		return nil, nil
	}
	pair, err := newKeyPair(cfg.Certificate, cfg.Key, logger)
	if err != nil {
		return nil, errors.New("tls: " + err.Error()) // not wrapped: it is no trouble with the data directory
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get, NextProtos: []string{"h2", "http/1.1"}}, nil
}

// refusing is for connections that are told in HTTP/1.1 that there is no room.
func refusing(c *tls.Config) *tls.Config {
	if c == nil {
		return nil
	}
	c = c.Clone()
	c.NextProtos = []string{"http/1.1"}
	c.SessionTicketsDisabled = true
	return c
}

// strictly asks browsers to come by HTTPS only. It allocates nothing.
func strictly(next http.Handler, age time.Duration) http.Handler {
	if age < time.Second {
		return next
	}
	value := []string{"max-age=" + strconv.FormatInt(int64(age.Seconds()), 10)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Strict-Transport-Security"] = value
		next.ServeHTTP(w, r)
	})
}
