package main

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/navehub/nave/auth"
)

const keyVariable = "NAVE_AUTH_KEY"

// tokenFlags are what the command line says.
type tokenFlags struct {
	key                       string
	subject, issuer, id       string
	audience                  []string
	publish, subscribe, admin []string
	source                    string
	ttl                       time.Duration
}

func tokenCommand() *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{
		Use:     "token --subject <name>",
		GroupID: groupKeys,
		Short:   "Make a token that says who somebody is, and what they may do",
		Long: `Make a token, and print it and nothing else. Whoever has it may do what it says
until it expires; without --publish, --subscribe and --admin, what the hub lets
everybody with a token do. In a filter {sub} stands for the subject.`,
		Example: `hub token --subject alice --subscribe 'cards/**' --subscribe 'users/{sub}'
hub token --subject board --publish 'cards/**' --ttl 720h > board.token
hub token --key issuer.key --issuer https://a.example --subject ops --admin '**'`,
		Args: noArgs,
	}
	flags := cmd.Flags()
	flags.StringVar(&f.key, "key", "", "`file` of the key (default $"+keyVariable+", or "+defaultKey+")")
	flags.StringVar(&f.subject, "subject", "", "whom it is for, as in `alice`")
	flags.StringArrayVar(&f.publish, "publish", nil, "may publish to what this `filter` matches; may be repeated")
	flags.StringArrayVar(&f.subscribe, "subscribe", nil, "may subscribe to what this `filter` matches; may be repeated")
	flags.StringArrayVar(&f.admin, "admin", nil, "may use what this `filter` matches below /v1/admin; may be repeated")
	flags.StringVar(&f.source, "source", "", "the only `source` that its events may have")
	flags.DurationVar(&f.ttl, "ttl", time.Hour, "how long it is valid")
	flags.StringVar(&f.issuer, "issuer", "", "who issues it, if the hub has keys of several (`iss`)")
	flags.StringArrayVar(&f.audience, "audience", nil, "which hub it is for (`aud`); may be repeated")
	flags.StringVar(&f.id, "id", "", "its `id`, to revoke it by (default: a new one)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		token, err := f.sign(time.Now())
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), token)
		return err
	}
	return cmd
}

func (f *tokenFlags) sign(now time.Time) (string, error) {
	if err := f.check(); err != nil {
		return "", err
	}
	name := cmp.Or(f.key, os.Getenv(keyVariable), defaultKey)
	key, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: make a key with %s key, or name one with --key or $%s", err, invokedAs(), keyVariable)
	}
	if err != nil {
		return "", err
	}
	token, err := auth.Sign(key, f.claims(now))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return token, nil
}

func (f *tokenFlags) check() error {
	if f.subject == "" {
		return usagef("say whom it is for with --subject, as in --subject alice")
	}
	if f.source != "" && len(f.publish) == 0 {
		return usagef("--source is about events: say with --publish where they may go")
	}
	for _, grant := range []struct {
		flag    string
		filters []string
	}{{"publish", f.publish}, {"subscribe", f.subscribe}, {"admin", f.admin}} {
		for _, filter := range grant.filters {
			if err := f.checkFilter(filter); err != nil {
				return usagef("--%s: %w", grant.flag, err)
			}
		}
	}
	return positive("ttl", f.ttl)
}

var named = regexp.MustCompile(`\{([^}]+)\}`)

// checkFilter also sees to it that the token has the claims that the filter names.
func (f *tokenFlags) checkFilter(filter string) error {
	if err := auth.CheckTemplate(filter); err != nil {
		return err
	}
	claims := f.claims(time.Time{})
	for _, name := range named.FindAllStringSubmatch(filter, -1) {
		if _, ok := claims[name[1]]; !ok {
			return fmt.Errorf("%q names a claim {%s} that the token does not have: did you mean {sub}?", filter, name[1])
		}
	}
	return nil
}

func (f *tokenFlags) claims(now time.Time) map[string]any {
	grants := map[string]any{}
	for name, filters := range map[string][]string{"publish": f.publish, "subscribe": f.subscribe, "admin": f.admin} {
		if len(filters) > 0 {
			grants[name] = filters
		}
	}
	if f.source != "" {
		grants["source"] = f.source
	}
	claims := map[string]any{
		"sub": f.subject, "jti": cmp.Or(f.id, rand.Text()),
		"iat": now.Unix(), "exp": now.Add(f.ttl).Unix(),
	}
	if len(grants) > 0 {
		claims["nave"] = grants
	}
	if f.issuer != "" {
		claims["iss"] = f.issuer
	}
	switch len(f.audience) {
	case 0:
	case 1:
		claims["aud"] = f.audience[0]
	default:
		claims["aud"] = f.audience
	}
	return claims
}
