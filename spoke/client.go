package spoke

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Config says which hub, and who asks.
type Config struct {
	// URL is the hub's address, as in https://hub.example.com, or with the path that it
	// is mounted at.
	URL string
	// Token says who asks. It is called for each request, and before the token of a
	// stream expires; "" is nobody in particular. Nil is that always.
	Token func(context.Context) (string, error)
	// Transport carries the requests. A time limit for all of an answer would end
	// streams.
	//
	// Defaults to one of its own, as http.DefaultTransport, that waits five seconds for
	// a connection.
	Transport http.RoundTripper
	// Patience is how long the answer to a publish may take before it is tried again.
	//
	// Defaults to 30 seconds.
	Patience time.Duration
	// UserAgent defaults to "nave-spoke".
	UserAgent string
	// OnRetry, if not nil, is told when a publish is about to be tried again, and why. It
	// is called by who publishes.
	OnRetry func(err error, wait time.Duration)
}

// A Client talks to one hub. It is safe for concurrent use.
type Client struct {
	config Config
	base   *url.URL
	http   *http.Client
}

// New makes a client. It fails only if the URL is not that of a hub.
func New(config Config) (*Client, error) {
	base, err := url.Parse(config.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("%q is not the address of a hub: write it like http://localhost:8080", withoutSecret(config.URL))
	}
	if config.Transport == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.DialContext = (&net.Dialer{Timeout: 5 * time.Second}).DialContext
		config.Transport = transport
	}
	config.Patience = cmp.Or(config.Patience, 30*time.Second)
	config.UserAgent = cmp.Or(config.UserAgent, "nave-spoke")
	c := &Client{config: config, base: base}
	c.http = &http.Client{Transport: config.Transport, CheckRedirect: c.redirected}
	return c, nil
}

// withoutSecret is for an address of which nobody knows where its password is.
func withoutSecret(address string) string {
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		return "…" + address[at:]
	}
	return address
}

// Address is the hub's, without its password.
func (c *Client) Address() string { return c.base.Redacted() }

// Close gives up the connections that are kept for the next request.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Do sends one request to the hub, with the token; path is relative to the hub's URL.
// The answer has a status of 2xx or 304, and its body is the caller's to close. Others are
// a [*Refusal], and none an [*UnreachableError].
func (c *Client) Do(ctx context.Context, method, path string, query url.Values, header http.Header, body []byte) (*http.Response, error) {
	target := c.base.JoinPath(path)
	target.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header.Clone()
	}
	req.Header.Set("User-Agent", c.config.UserAgent)
	token, err := c.token(ctx)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := c.http.Do(req)
	switch {
	case err != nil:
		return nil, c.unreachable(ctx, err)
	case answer.StatusCode/100 == 2, answer.StatusCode == http.StatusNotModified:
		return answer, nil
	}
	defer answer.Body.Close()
	r := readRefusal(answer)
	r.token = token
	return nil, r
}

func (c *Client) token(ctx context.Context) (string, error) {
	if c.config.Token == nil {
		return "", nil
	}
	token, err := c.config.Token(ctx)
	if err == nil && token != "" && c.base.User != nil {
		err = errors.New("the address has a user, and there is a token too: only one of them can be sent")
	}
	return token, err
}

// redirected keeps the token from others: net/http takes another port, and the same
// host without TLS, for the hub.
func (c *Client) redirected(to *http.Request, via []*http.Request) error {
	const enough = 10 // as net/http has it
	if len(via) >= enough {
		return errors.New("it redirects again and again")
	}
	if to.URL.Host != c.base.Host || to.URL.Scheme != c.base.Scheme {
		to.Header.Del("Authorization")
	}
	return nil
}

// unreachable keeps what is worth knowing of an error of net/http.
func (c *Client) unreachable(ctx context.Context, err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var system *os.SyscallError
	if errors.As(err, &system) {
		err = system.Err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errEnded
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return c.away(err)
}

func (c *Client) away(err error) error { return &UnreachableError{c.Address(), err} }

var errEnded = errors.New("the connection ended")

// strange says that somebody answers who is no hub.
func (c *Client) strange(what string, args ...any) error {
	return fmt.Errorf("%s is no hub: it answers "+what, append([]any{c.Address()}, args...)...)
}
