package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

const (
	urlVariable = "NAVE_URL"
	defaultURL  = "http://localhost:8080"
)

// An api is one hub's HTTP surface, seen from outside.
type api struct {
	base      *url.URL
	http      *http.Client
	tokenFile string // "" for $NAVE_TOKEN
}

// urlFlag adds --url to a command that talks to a hub.
func urlFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("url", "", "`address` of the hub (default $"+urlVariable+", or "+defaultURL+")")
}

// newAPI reads the address of a hub; "" is $NAVE_URL, or this machine's.
func newAPI(address, tokenFile string) (*api, error) {
	address = cmp.Or(address, os.Getenv(urlVariable), defaultURL)
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, usagef("%q is not the address of a hub: write it like %s", withoutSecret(address), defaultURL)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	a := &api{base: base, tokenFile: tokenFile}
	a.http = &http.Client{Transport: transport, CheckRedirect: a.redirected}
	return a, nil
}

// withoutSecret is for an address of which nobody knows where its password is.
func withoutSecret(address string) string {
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		return "…" + address[at:]
	}
	return address
}

// close gives up the connections that are kept for the next request.
func (a *api) close() { a.http.CloseIdleConnections() }

// request starts a request; its answer has status 2xx, or is an error: an
// *unreachableError or a *problem.
func (a *api) request(ctx context.Context, method, path string, query url.Values, header http.Header, body []byte) (*http.Response, error) {
	target := a.base.JoinPath(path)
	target.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header
	}
	req.Header.Set("User-Agent", "nave-hub/"+cmp.Or(readBuild().Version, "devel"))
	known, err := a.authorise(req)
	if err != nil {
		return nil, err
	}
	answer, err := a.http.Do(req)
	if err != nil {
		return nil, a.unreachable(ctx, err)
	}
	if answer.StatusCode/100 != 2 {
		defer answer.Body.Close()
		p := readProblem(answer)
		p.unknown = p.Status == http.StatusUnauthorized && !known
		return nil, p
	}
	return answer, nil
}

// unreachableError says that nobody answered.
type unreachableError struct {
	address string
	err     error
}

// unreachable keeps what is worth knowing of an error of net/http.
func (a *api) unreachable(ctx context.Context, err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var system *os.SyscallError
	if errors.As(err, &system) {
		err = system.Err
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return &unreachableError{a.base.Redacted(), err}
}

func (e *unreachableError) Error() string {
	return fmt.Sprintf("no hub answers at %s: %v\nStart one with %s dev, or say where it is with --url or $%s.",
		e.address, e.err, invokedAs(), urlVariable)
}

func (e *unreachableError) Unwrap() error { return e.err }

// A problem is the hub's refusal, as in RFC 9457.
type problem struct {
	Type      string     `json:"type"`
	Title     string     `json:"title"`
	Status    int        `json:"status"`
	Detail    string     `json:"detail"`
	Conflicts []conflict `json:"conflicts"`

	retryAfter time.Duration
	unknown    bool // there was no token
	raw        []byte
}

// A conflict is one condition that did not hold.
type conflict struct {
	Topic     string          `json:"topic"`
	Key       string          `json:"key"`
	IfVersion uint64          `json:"ifVersion"`
	Version   uint64          `json:"version"`
	Event     json.RawMessage `json:"event"`
}

// readProblem makes the best of an answer that is no success, whoever gave it: a
// proxy may stand between us and the hub.
func readProblem(answer *http.Response) *problem {
	const enough = 1 << 20
	text, _ := io.ReadAll(io.LimitReader(answer.Body, enough)) // the status says most of it
	p := &problem{raw: text}
	if kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")); strings.HasSuffix(kind, "json") {
		_ = json.Unmarshal(text, p) // then it has no detail
	}
	p.Status = answer.StatusCode
	p.Title = cmp.Or(p.Title, http.StatusText(answer.StatusCode))
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil {
		p.retryAfter = time.Duration(seconds) * time.Second
	}
	return p
}

func (p *problem) Error() string {
	text := fmt.Sprintf("refused: %s (%d)", cmp.Or(p.Detail, p.Title), p.Status)
	if p.unknown {
		text += "\nSay who you are with --token-file or $" + tokenVariable + "."
	}
	return text
}

// temporary reports whether the same request may succeed later.
func (p *problem) temporary() bool {
	switch p.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// temporary reports whether it makes sense to try again after err, and how long
// the hub wants to be left in peace.
func temporary(err error) (after time.Duration, ok bool) {
	var away *unreachableError
	var refused *problem
	switch {
	case errors.As(err, &away):
		return 0, true
	case errors.As(err, &refused):
		return refused.retryAfter, refused.temporary()
	}
	return 0, false
}

// backoff doubles with every attempt, up to a bound, and has jitter, so that
// those who were cut off together do not come back together.
func backoff(attempt int, first, most time.Duration) time.Duration {
	d := min(first<<min(attempt, 16), most)
	return d/2 + rand.N(d/2+1)
}

// pause waits, and reports false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
