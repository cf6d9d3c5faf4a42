package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/navehub/nave/spoke"
)

// Exit codes, the same for every command.
const (
	exitFailure     = 1   // it failed, or the hub refused
	exitUsage       = 2   // the command line is wrong
	exitUnreachable = 3   // no hub answers
	exitInterrupted = 130 // by a signal
)

const exitCodes = `Exit codes: 0 done, 1 failed or refused, 2 wrong usage, 3 no hub answers.`

// An exitError ends the program with a code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }

func (e *exitError) Unwrap() error { return e.err }

// usagef says what is wrong with the command line.
func usagef(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// run runs one command line and answers its exit code. Errors are reported
// here and nowhere else.
func run(ctx context.Context, in io.Reader, out, errs io.Writer, args []string) int {
	root := newRoot()
	root.SetIn(until(ctx, in))
	root.SetOut(out)
	root.SetErr(errs)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return exitInterrupted // by who knows
	}
	fmt.Fprintf(errs, "hub: %v\n", err)
	if text := advice(err); text != "" {
		fmt.Fprintln(errs, text)
	}
	code := exitCode(err)
	if code == exitUsage {
		fmt.Fprintf(errs, "%s --help says more.\n", cmd.CommandPath())
	}
	return code
}

func exitCode(err error) int {
	var exit *exitError
	var away *spoke.UnreachableError
	switch {
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &away):
		return exitUnreachable
	default:
		return exitFailure
	}
}

// Groups of commands, in the order of the help text.
const (
	groupRun  = "run"
	groupTalk = "talk"
	groupKeys = "keys"
	groupMore = "more"
)

func newRoot() *cobra.Command {
	cobra.EnableCommandSorting = false // the order of help texts is ours
	root := &cobra.Command{
		Use: "hub",
		Long: `hub is Nave, an event hub: applications publish events to it over HTTP,
browsers and services receive them live over Server-Sent Events.`,
		Example: `hub dev                                         # in one terminal
hub tail 'cards/**'                             # in a second one
hub publish cards/board-1 --type card.moved     # in a third one`,
		Args:          noSuchCommand,
		RunE:          showHelp,
		Version:       readBuild().String(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { writeHelp(cmd.OutOrStdout(), cmd) })
	root.SetFlagErrorFunc(wrongFlag)
	root.AddGroup(
		&cobra.Group{ID: groupRun, Title: "Run a hub"},
		&cobra.Group{ID: groupTalk, Title: "Talk to a hub"},
		&cobra.Group{ID: groupKeys, Title: "Say who may do what"},
		&cobra.Group{ID: groupMore, Title: "More"},
	)
	root.AddCommand(
		devCommand(), serveCommand(), healthCommand(),
		publishCommand(), tailCommand(), sseCommand(),
		keyCommand(), tokenCommand(),
		configCommand(), versionCommand(),
	)
	root.SetHelpCommand(helpCommand(root))
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

// helpCommand is "hub help tail", for who is used to it.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:    "help [command]",
		Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return noSuchCommand(cmd, rest)
			}
			return cmd.Help()
		},
	}
}

// noArgs is for commands that take flags only.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%q is one argument too many: there are only flags", args[0])
	}
	return nil
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }
