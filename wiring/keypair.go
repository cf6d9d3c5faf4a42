package wiring

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often the files of a certificate are looked at, at most.
const lookEvery = time.Second

// A keyPair is a certificate with its key, read again when their files change. It
// needs no goroutine: it looks at the files when somebody wants the certificate.
type keyPair struct {
	// Set by newKeyPair, never changed.
	certificate, key string // files
	logger           *slog.Logger

	current atomic.Pointer[tls.Certificate]

	mu     sync.Mutex // held by the one who looks; others do not wait
	looked time.Time
	seen   stamp  // of what is current
	failed string // why the files are not current, "" if they are
}

// newKeyPair reads the files for the first time, when it has to go well.
func newKeyPair(certificate, key string, logger *slog.Logger) (*keyPair, error) {
	p := &keyPair{certificate: certificate, key: key, logger: logger, looked: time.Now()}
	if err := p.read(); err != nil {
		return nil, err
	}
	return p, nil
}

// get is the tls.Config's GetCertificate.
func (p *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if p.mu.TryLock() {
		if time.Since(p.looked) >= lookEvery {
			p.look()
		}
		p.mu.Unlock()
	}
	return p.current.Load(), nil
}

// look says once what is wrong with new files. It tries them again all the same:
// the other half may be on its way.
func (p *keyPair) look() {
	p.looked = time.Now()
	if now, err := p.stamp(); err == nil && now.same(p.seen) {
		p.failed = ""
		return
	}
	switch err := p.read(); {
	case err == nil:
		p.failed = ""
		p.logger.Info("the certificate has changed, and the new one is in use",
			"file", p.certificate, "expires", p.current.Load().Leaf.NotAfter)
	case err.Error() != p.failed:
		p.failed = err.Error()
		p.logger.Error("the certificate has changed, and the old one stays in use", "error", err)
	}
}

func (p *keyPair) read() error {
	seen, err := p.stamp() // before reading: what changes meanwhile is read again
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(p.certificate, p.key)
	if _, inFile := errors.AsType[*fs.PathError](err); err != nil && !inFile {
		return fmt.Errorf("certificate %s with key %s: %s", p.certificate, p.key, strings.TrimPrefix(err.Error(), "tls: "))
	} else if err != nil {
		return err
	}
	p.seen = seen
	p.current.Store(&pair)
	return nil
}

// A stamp tells one state of the files from another.
type stamp struct{ certificate, key os.FileInfo }

func (p *keyPair) stamp() (s stamp, err error) {
	if s.certificate, err = os.Stat(p.certificate); err == nil {
		s.key, err = os.Stat(p.key)
	}
	return s, err
}

func (s stamp) same(other stamp) bool {
	return sameFile(s.certificate, other.certificate) && sameFile(s.key, other.key)
}

// sameFile also tells a file that was put in the place of another, however old.
func sameFile(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
