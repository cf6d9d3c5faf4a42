package wiring

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"path/filepath"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/navehub/nave/config"
)

// acmeProtocol is what an authority speaks to see that a domain is here (RFC 8737).
const acmeProtocol = "acme-tls/1"

// A steward gets certificates and renews them. Its goroutines, of package
// certmagic, run from start to stop, but for one that keeps a lock and ends within
// five seconds of it.
type steward struct {
	// Set by newSteward, never changed.
	config config.ACME
	dir    string
	listen *net.TCPAddr // where authorities find us
	logger *slog.Logger

	// Set by start.
	magic *certmagic.Config
	cache *certmagic.Cache
	end   context.CancelFunc
}

func newSteward(cfg config.Config, listen net.Addr, logger *slog.Logger) *steward {
	at, _ := listen.(*net.TCPAddr)
	return &steward{config: cfg.TLS.ACME, dir: filepath.Join(cfg.Data, "acme"), listen: at, logger: logger}
}

// get is the tls.Config's GetCertificate.
func (s *steward) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return s.magic.GetCertificate(hello)
}

// start returns at once. Certificates that were stored are in use a moment later,
// new ones when the authority has given them; until then it is asked again and again.
func (s *steward) start(context.Context) error {
	log := zap.New(zapCore{handler: s.logger.Handler()})
	s.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return s.magic, nil },
		Logger:           log,
	})
	s.magic = certmagic.New(s.cache, certmagic.Config{
		Storage:           &certmagic.FileStorage{Path: s.dir},
		DefaultServerName: s.config.Domains[0],                         // of who names none, such as a load balancer's probe
		OCSP:              certmagic.OCSPConfig{DisableStapling: true}, // authorities give it up
		OnEvent:           s.tell,
		Logger:            log,
	})
	s.magic.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(s.magic, certmagic.ACMEIssuer{
		CA: s.config.Directory, Email: s.config.Email, Agreed: true,
		DisableHTTPChallenge: true, DisableDistributedSolvers: true,
		// Our own listener answers. It would open another one if that were elsewhere.
		ListenHost: s.listen.IP.String(), AltTLSALPNPort: s.listen.Port,
		Logger: log,
	})}
	var running context.Context
	running, s.end = context.WithCancel(context.Background())
	return s.magic.ManageAsync(running, s.config.Domains)
}

func (s *steward) stop() {
	s.end()
	s.cache.Stop()
}

// tell says what goes well; what does not, certmagic logs.
func (s *steward) tell(_ context.Context, event string, about map[string]any) error {
	if event == "cert_obtained" {
		s.logger.Info("there is a new certificate", "domain", about["identifier"], "authority", about["issuer"])
	}
	return nil
}
