package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/navehub/nave/auth"
)

const defaultKey = "nave.key"

func keyCommand() *cobra.Command {
	var algorithm string
	cmd := &cobra.Command{
		Use:     "key [file]",
		GroupID: groupKeys,
		Short:   "Make a key that tokens are signed with",
		Long: `Make a key, in nave.key unless you name another file. By default it is a secret:
who signs tokens and who verifies them have the same one. ES256, EdDSA and RS256
have two halves: the file signs, and the one beside it that ends in .pub is
enough for a hub, which then cannot make tokens.

A secret is the text of the file itself, as in
jwt.sign(claims, fs.readFileSync('nave.key')).`,
		Example: `hub key
hub key --algorithm ES256 issuer.key`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("a key is in one file, not in %d", len(args))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&algorithm, "algorithm", "HS256", "`what` it is for: HS256, ES256, EdDSA or RS256")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return makeKey(cmd.OutOrStdout(), cmp.Or(strings.Join(args, ""), defaultKey), algorithm)
	}
	return cmd
}

func makeKey(out io.Writer, name, algorithm string) error {
	text, public, err := auth.NewKey(algorithm)
	if err != nil {
		return usagef("--algorithm: %w", err)
	}
	if err := create(name, text, 0o600); err != nil {
		return err
	}
	verifying := name
	if public != nil {
		verifying += ".pub"
		if err := create(verifying, public, 0o644); err != nil {
			return errors.Join(err, os.Remove(name)) // half of a pair is of no use
		}
	}
	_, err = fmt.Fprintf(out, `%s is for %s. Whoever has it can make tokens: keep it to yourself.

Run a hub that demands tokens:
  %s serve --key %s

Make one:
  %s token --key %s --subject alice --subscribe 'cards/**'
`, name, algorithm, invokedAs(), verifying, invokedAs(), name)
	return err
}

// create writes a file that must not be there yet: tokens by another key, and the
// hubs that know it, would be lost with it.
func create(name string, text []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: name another file, or remove it with all tokens by it", name)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}
