package wiring

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"go.uber.org/fx"

	"github.com/navehub/nave/config"
)

// newTLS is how the server that listens there speaks TLS; nil if it does not.
func newTLS(lc fx.Lifecycle, cfg config.Config, listen net.Addr, logger *slog.Logger) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	switch {
	case !cfg.TLS.Enabled():
		return nil, nil
	case len(cfg.TLS.ACME.Domains) > 0:
		s := newSteward(cfg, listen, logger)
		lc.Append(fx.StartStopHook(s.start, s.stop))
		c.GetCertificate = s.get
		c.NextProtos = append(c.NextProtos, acmeProtocol)
	default:
		pair, err := newKeyPair(cfg.TLS.Certificate, cfg.TLS.Key, logger)
		if err != nil {
			return nil, errors.New("tls: " + err.Error()) // not wrapped: it is no trouble with the data directory
		}
		c.GetCertificate = pair.get
	}
	return c, nil
}

// refusing is for connections that are told in HTTP/1.1 that there is no room.
func refusing(c *tls.Config) *tls.Config {
	if c == nil {
		return nil
	}
	c = c.Clone()
	c.NextProtos = slices.DeleteFunc(slices.Clone(c.NextProtos), func(name string) bool { return name == "h2" })
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
