package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/navehub/nave/typo"
)

const helpWidth = 80

// writeHelp writes what a command does, how it is used, and examples to paste.
func writeHelp(w io.Writer, cmd *cobra.Command) {
	about := cmd.Long
	if about == "" {
		about = cmd.Short + "."
	}
	fmt.Fprintf(w, "%s\n", about)
	if !cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\nUsage:\n  %s\n", cmd.UseLine())
	}
	if cmd.Example != "" {
		fmt.Fprintf(w, "\nTry:\n%s\n", indent(cmd.Example))
	}
	writeCommands(w, cmd)
	writeFlags(w, cmd)
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n%s <command> --help says more.\n", cmd.CommandPath())
	}
}

func writeCommands(w io.Writer, cmd *cobra.Command) {
	titles := cmd.Groups()
	if len(titles) == 0 {
		titles = []*cobra.Group{{Title: "Commands"}}
	}
	for _, group := range titles {
		heading := "\n" + group.Title + ":\n"
		for _, sub := range cmd.Commands() {
			if sub.GroupID == group.ID && sub.IsAvailableCommand() {
				fmt.Fprintf(w, "%s  %-*s  %s\n", heading, cmd.Commands()[0].NamePadding(), sub.Name(), sub.Short)
				heading = ""
			}
		}
	}
}

func writeFlags(w io.Writer, cmd *cobra.Command) {
	flags := cmd.LocalFlags()
	for _, common := range []string{"help", "version"} { // everybody knows them
		if f := flags.Lookup(common); f != nil {
			f.Hidden = true
		}
	}
	flags.VisitAll(func(f *pflag.Flag) { // what pflag would say of it is no help
		if f.Value.Type() == "string" {
			f.NoOptDefVal = ""
		}
	})
	if usages := flags.FlagUsagesWrapped(helpWidth); usages != "" {
		fmt.Fprintf(w, "\nFlags:\n%s", usages)
	}
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(text, "\n", "\n  ")
}

// noSuchCommand refuses arguments of a command that only has commands.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return usagef("there is no command %q%s", cmd.CommandPath()+" "+args[0], didYouMean("", typo.Nearest(args[0], names)))
}

// wrongFlag makes a sentence of what is wrong with a flag.
func wrongFlag(cmd *cobra.Command, err error) error {
	if args := cmd.Flags().Args(); cmd.HasSubCommands() && len(args) > 0 {
		return noSuchCommand(cmd, args) // its flags are not what is wrong
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		return wrongValue(invalid.GetFlag(), invalid.GetValue())
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return usagef("%w", err)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	name := unknown.GetSpecifiedName()
	return usagef("there is no flag --%s%s", name, didYouMean("--", typo.Nearest(name, names)))
}

// wrongValue says what the value of a flag is like.
func wrongValue(flag *pflag.Flag, value string) error {
	right := map[string]string{
		"bool":     "true or false",
		"duration": "a duration such as 10s",
		"uint64":   "a whole number, 0 or more",
	}[flag.Value.Type()]
	return usagef("--%s is %q: it must be %s", flag.Name, value, right)
}

// positive refuses no time at all.
func positive(flag string, d time.Duration) error {
	if d <= 0 {
		return usagef("--%s is %v: it must be more than 0", flag, d)
	}
	return nil
}

func didYouMean(prefix, name string) string {
	if name == "" {
		return ""
	}
	return ": did you mean " + prefix + name + "?"
}
