package config

import (
	"net/netip"
	"net/url"
	"strings"
)

func (t TLS) check(refuse refuser) {
	switch {
	case t.Certificate != "" && t.Key == "":
		refuse("tls.key", "is empty, but there is a certificate: name the file with its private key")
	case t.Certificate == "" && t.Key != "":
		refuse("tls.certificate", "is empty, but there is a key: name the file with its certificate")
	case t.Certificate != "" && len(t.ACME.Domains) > 0:
		refuse("tls.acme.domains", "are for certificates that the hub gets by itself, but there is tls.certificate: set one of the two")
	}
	t.ACME.check(refuse)
}

func (a ACME) check(refuse refuser) {
	for i, domain := range a.Domains {
		if problem := noDomain(domain); problem != "" {
			refuse(item("tls.acme.domains", i), "%q %s", domain, problem)
		}
	}
	if u, err := url.Parse(a.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
		refuse("tls.acme.directory", "%q is not the address of a directory: write it like https://acme.example.com/directory", a.Directory)
	}
	if a.Email != "" && !strings.Contains(a.Email, "@") {
		refuse("tls.acme.email", "%q is not an address of e-mail: write it like admin@example.com", a.Email)
	}
}

// noDomain says why an authority cannot be asked for a domain; "" if it can.
func noDomain(text string) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."
	_, err := netip.ParseAddr(text)
	switch {
	case err == nil:
		return "is an address: certificates are for names, such as hub.example.com"
	case strings.HasPrefix(text, "*."):
		return "is a wildcard, which cannot be had by tls-alpn-01: name each domain"
	case strings.Trim(text, letters) != "" || !strings.Contains(strings.Trim(text, "."), "."):
		return "is not a domain: write it like hub.example.com"
	}
	return ""
}
