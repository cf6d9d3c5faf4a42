package main

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"github.com/navehub/nave/spoke"
)

const (
	urlVariable = "NAVE_URL"
	defaultURL  = "http://localhost:8080"
)

// urlFlag adds --url to a command that talks to a hub.
func urlFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("url", "", "`address` of the hub (default $"+urlVariable+", or "+defaultURL+")")
}

// connect reads the address of a hub; "" is $NAVE_URL, or this machine's. The token is
// read anew for each request, so that one that is replaced in time outlives its
// connection.
func connect(address, tokenFile string) (*spoke.Client, error) {
	address = cmp.Or(address, os.Getenv(urlVariable), defaultURL)
	hub, err := spoke.New(spoke.Config{
		URL:       address,
		UserAgent: "nave-hub/" + cmp.Or(readBuild().Version, "devel"),
		Token: func(context.Context) (string, error) {
			token, err := readToken(tokenFile)
			if u, _ := url.Parse(address); err == nil && token != "" && u != nil && u.User != nil {
				err = usagef("the address has a user, and there is a token too: only one of them can be sent")
			}
			return token, err
		},
	})
	if err != nil {
		return nil, usagef("%w", err)
	}
	return hub, nil
}

// advice is what to do about an error; "" if there is nothing to say.
func advice(err error) string {
	var away *spoke.UnreachableError
	var refused *spoke.Refusal
	switch {
	case errors.As(err, &away) && exitCode(err) == exitUnreachable:
		return "Start one with " + invokedAs() + " dev, or say where it is with --url or $" + urlVariable + "."
	case errors.As(err, &refused) && refused.Anonymous():
		return "Say who you are with --token-file or $" + tokenVariable + "."
	}
	return ""
}
