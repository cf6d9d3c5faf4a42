package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/navehub/nave/config"
)

// loadConfig reads the configuration: defaults, then the file, then variables,
// then flags.
func loadConfig(file string, flags map[string]string) (config.Config, config.Sources, error) {
	cfg, sources, err := config.Load(config.Options{File: file, Env: environment(), Flags: flags})
	return cfg, sources, oneSentence(err)
}

// environment leaves out the variables that say where a hub is, and who we are:
// they are for those who talk to one, and no settings of the hub itself.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, urlVariable+"=") || strings.HasPrefix(entry, tokenVariable+"=")
	})
}

// oneSentence leaves one error as it is, and puts several below a heading.
func oneSentence(err error) error {
	var several interface{ Unwrap() []error }
	if !errors.As(err, &several) || len(several.Unwrap()) < 2 {
		return err
	}
	return fmt.Errorf("the configuration has %d errors:\n%s", len(several.Unwrap()), indent(err.Error()))
}

func configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		GroupID: groupRun,
		Short:   "Check, print and document the configuration",
		Long: `The configuration comes from defaults, then a file, then variables that start
with NAVE_, then flags; what comes later wins.`,
		Example: `hub config print > nave.yaml             # a file to start from, with comments
hub config validate nave.yaml
NAVE_LISTEN=:9090 hub config print --sources`,
		Args: noSuchCommand,
		RunE: showHelp,
	}
	cmd.AddCommand(validateCommand(), printCommand(), referenceCommand())
	return cmd
}

func validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate [file]",
		Short: "Check a file together with the environment",
		Long: `Check the configuration that hub serve would run with, and say all that is
wrong with it, each with its place. Without a file, $NAVE_CONFIG is checked.`,
		Example: `hub config validate nave.yaml`,
		Args:    atMostOneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			file := strings.Join(args, "")
			if _, _, err := loadConfig(file, nil); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is valid\n", configName(file))
			return err
		},
	}
}

// configName is what has been checked.
func configName(file string) string {
	return cmp.Or(file, os.Getenv("NAVE_CONFIG"), "the configuration (no file, defaults and environment)")
}

func printCommand() *cobra.Command {
	var withSources bool
	cmd := &cobra.Command{
		Use:   "print [file]",
		Short: "Print all settings as a commented file",
		Long: `Print the configuration that hub serve would run with, as a file with comments.
With --sources it says of each value where it comes from.`,
		Example: `hub config print
hub config print nave.yaml --sources`,
		Args: atMostOneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, sources, err := loadConfig(strings.Join(args, ""), nil)
			if err != nil {
				return err
			}
			if !withSources {
				sources = nil
			}
			return cfg.Print(cmd.OutOrStdout(), sources)
		},
	}
	cmd.Flags().BoolVar(&withSources, "sources", false, "say where each value comes from")
	return cmd
}

func referenceCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "reference",
		Short: "Print the reference of all settings, in Markdown",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return config.Reference(cmd.OutOrStdout())
		},
	}
}

func atMostOneFile(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usagef("there is one configuration file at most, not %d", len(args))
	}
	return nil
}
