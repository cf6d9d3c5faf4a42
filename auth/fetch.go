package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json" // refuses a name that comes twice, and one in another case
)

const (
	fetchTimeout = 10 * time.Second
	maxSetBytes  = 1 << 20
	redirects    = 3
)

// parseURL wants an address whose answer nobody on the way can change.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("the URL of the keys is none: write it like https://issuer.example/keys")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, fmt.Errorf("the keys at %s could be changed on the way: use https", u.Redacted())
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// newClient has connections of its own, so that Close can end them.
func newClient() *http.Client {
	return &http.Client{CheckRedirect: sameHost, Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: 64 << 10,
		IdleConnTimeout:        time.Minute,
	}}
}

// sameHost keeps to who was asked: others are not known to be the issuer.
func sameHost(to *http.Request, via []*http.Request) error {
	first := via[0].URL
	switch {
	case len(via) > redirects:
		return errors.New("it redirects again and again")
	case to.URL.Scheme != first.Scheme || to.URL.Host != first.Host:
		return errors.New("it redirects to another host: name that one, if it may be trusted")
	}
	return nil
}

// fetch looks once. The age is for how long the answer is good.
func (r *remote) fetch(ctx context.Context) (*keySet, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url.String(), nil)
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	answer, err := r.client.Do(req)
	if err != nil {
		return nil, 0, withoutURL(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, 0, fmt.Errorf("it answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxSetBytes+1))
	switch {
	case err != nil:
		return nil, 0, withoutURL(err)
	case len(text) > maxSetBytes:
		return nil, 0, fmt.Errorf("it answers with more than %d bytes", maxSetBytes)
	}
	keys, err := r.parseSet(text)
	if err != nil {
		return nil, 0, err
	}
	return newKeySet(keys), age(answer.Header.Get("Cache-Control")), nil
}

// withoutURL is for a URL that may have a password in it, and stands beside the
// error anyway.
func withoutURL(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		return outer.Err
	}
	return err
}

// parseSet takes the keys that tokens can be verified with.
func (r *remote) parseSet(text []byte) ([]key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil || set.Keys == nil {
		return nil, errors.New(`it answers with something else than a JWK set, which has "keys"`)
	}
	if len(set.Keys) > maxSetKeys {
		return nil, fmt.Errorf("it answers with %d keys: at most %d are accepted", len(set.Keys), maxSetKeys)
	}
	var keys []key
	for i, raw := range set.Keys {
		k, err := parsePublicJWK(raw)
		if err != nil {
			r.log.Debug("a key of an issuer is left out", "url", r.url.Redacted(), "key", i, "error", err)
			continue
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// parsePublicJWK refuses secrets: with one that everybody can fetch, everybody can
// sign.
func parsePublicJWK(text []byte) (key, error) {
	var secret struct {
		K *json.RawMessage `json:"k"`
		D *json.RawMessage `json:"d"`
	}
	if err := json.Unmarshal(text, &secret); err != nil || secret.K != nil || secret.D != nil {
		return key{}, errors.New("it is no public JWK")
	}
	return parseJWK(text)
}

// age reads how long an answer is good, within our bounds.
func age(cacheControl string) time.Duration {
	for directive := range strings.SplitSeq(strings.ToLower(cacheControl), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch name {
		case "no-store", "no-cache":
			return leastAge
		case "max-age":
			if seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil {
				return min(max(time.Duration(seconds)*time.Second, leastAge), mostAge)
			}
		}
	}
	return defaultAge
}
