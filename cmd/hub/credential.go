package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

const (
	tokenVariable = "NAVE_TOKEN"
	maxTokenBytes = 16 << 10 // as the hub has it
)

// tokenFlag adds --token-file to a command that talks to a hub. There is no
// --token: everybody on a machine can see the command lines.
func tokenFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("token-file", "", "`file` with the token that says who you are (default $"+tokenVariable+")")
}

// readToken reads the token in a file, or without one in $NAVE_TOKEN; "" is none.
// Its errors do not have it in them.
func readToken(file string) (string, error) {
	text, name := os.Getenv(tokenVariable), "$"+tokenVariable
	if file != "" {
		name = "--token-file " + file
		var err error
		if text, err = readShort(file); err != nil {
			return "", usagef("--token-file: %w", err)
		}
	}
	token := strings.TrimSpace(text)
	wrong := func(r rune) bool { return r <= ' ' || r > '~' }
	switch {
	case token == "" && file != "":
		return "", usagef("%s is empty: it must have a token", name)
	case len(token) > maxTokenBytes:
		return "", usagef("%s is no token: it has more than %d bytes", name, maxTokenBytes)
	case strings.ContainsFunc(token, wrong):
		return "", usagef("%s is no token, which is one word", name)
	}
	return token, nil
}

func readShort(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 2*maxTokenBytes))
	return string(text), err
}

// authorise tells the hub who we are. The token is read anew for each request,
// so that one that is replaced in time outlives its connection.
func (a *api) authorise(req *http.Request) (known bool, err error) {
	token, err := readToken(a.tokenFile)
	switch {
	case err != nil || token == "":
		return false, err
	case a.base.User != nil:
		return false, usagef("the address has a user, and there is a token too: only one of them can be sent")
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return true, nil
}

// redirected keeps the token from others: net/http takes another port, and the
// same host without TLS, for the hub.
func (a *api) redirected(to *http.Request, via []*http.Request) error {
	const enough = 10 // as net/http has it
	if len(via) >= enough {
		return errors.New("it redirects again and again")
	}
	if to.URL.Host != a.base.Host || to.URL.Scheme != a.base.Scheme {
		to.Header.Del("Authorization")
	}
	return nil
}
