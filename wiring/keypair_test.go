package wiring

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/config"
)

// serial is the number of the certificate in use, after the files were looked at.
func (p *keyPair) serial() int64 {
	p.mu.Lock()
	p.looked = time.Time{}
	p.mu.Unlock()
	c, _ := p.get(nil)
	return c.Leaf.SerialNumber.Int64()
}

func TestACertificateIsReadAgain(t *testing.T) {
	var log bytes.Buffer
	a := newAuthority(t)
	cfg := a.sign(1)
	p, err := newKeyPair(cfg.Certificate, cfg.Key, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	a.sign(2)
	if c, _ := p.get(nil); c.Leaf.SerialNumber.Int64() != 1 {
		t.Error("it looks more than once a second")
	}
	if got := p.serial(); got != 2 {
		t.Errorf("certificate %d, want 2", got)
	}
	good, err := os.ReadFile(cfg.Key)
	if err != nil {
		t.Fatal(err)
	}
	log.Reset()
	for name, broken := range map[string]func(){
		"has nothing to say": func() { writeFile(t, cfg.Certificate, []byte("hello")) },
		"is of another key":  func() { a.sign(3); writeFile(t, cfg.Key, good) },
		"is gone":            func() { _ = os.Remove(cfg.Key) },
	} {
		log.Reset()
		broken()
		for range 3 {
			if got := p.serial(); got != 2 {
				t.Errorf("%s: certificate %d, want 2", name, got)
			}
		}
		if got := strings.Count(log.String(), "level=ERROR"); got != 1 || strings.Count(log.String(), "\n") != 1 {
			t.Errorf("%s: %d errors are logged, want 1:\n%s", name, got, &log)
		}
		a.sign(2)
		p.serial()
	}
	a.sign(4)
	if got := p.serial(); got != 4 {
		t.Errorf("certificate %d, want 4", got)
	}
}

// Those who want the certificate while it is read get the old one, or the new one.
func TestACertificateIsReadByOne(t *testing.T) {
	a := newAuthority(t)
	cfg := a.sign(1)
	p, err := newKeyPair(cfg.Certificate, cfg.Key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if got := p.serial(); got != 1 && got != 2 {
					t.Errorf("certificate %d", got)
				}
			}
		})
	}
	a.sign(2)
	all.Wait()
	if got := p.serial(); got != 2 {
		t.Errorf("certificate %d, want 2", got)
	}
}

func TestACertificateThatCannotBeUsed(t *testing.T) {
	a := newAuthority(t)
	cfg := a.sign(1)
	cfg.Key = cfg.Certificate
	_, err := newTLS(nil, config.Config{TLS: cfg}, nil, slog.New(slog.DiscardHandler))
	if err == nil || !strings.HasPrefix(err.Error(), "tls: certificate "+cfg.Certificate+" with key "+cfg.Key+": ") {
		t.Errorf("error = %v", err)
	}
	cfg.Key = "nowhere"
	if _, err = newTLS(nil, config.Config{TLS: cfg}, nil, slog.New(slog.DiscardHandler)); err == nil || err.Error() != "tls: stat nowhere: no such file or directory" {
		t.Errorf("error = %v", err)
	}
}
