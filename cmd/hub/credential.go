package main

import (
	"io"
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
