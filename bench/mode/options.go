//go:build linux

package mode

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/navehub/nave/bench/server"
)

// Options are those of every mode.
type Options struct {
	Rounds  int
	Dir     string
	Program string

	servers texts
}

// Flags adds them.
func (o *Options) Flags(f *flag.FlagSet) {
	f.Var(&o.servers, "servers", "which of "+strings.Join(server.Names, ", ")+"; by default those that the mode is about")
	numberVar(f, &o.Rounds, "rounds", 1, 1000, "how many times, the servers in turn")
	f.Func("program", "a hub that is there already, such as one with symbols; by default it is built as make does", func(text string) error {
		o.Program = text
		if info, err := os.Stat(text); err != nil || info.Mode()&0o111 == 0 || info.IsDir() {
			return fmt.Errorf("it must be a program that there is")
		}
		return nil
	})
	o.DirFlag(f)
}

// DirFlag adds the flag of the folder alone.
func (o *Options) DirFlag(f *flag.FlagSet) {
	f.Func("dir", "where the hub keeps its data meanwhile; by default the folder for temporary files", func(text string) error {
		o.Dir = text
		if info, err := os.Stat(text); err != nil || !info.IsDir() {
			return fmt.Errorf("it must be a folder that there is")
		}
		return nil
	})
}

// Choose are the cases that the servers which were asked for can do, and says of
// which it is without whom.
func (o *Options) Choose(cases []Case) (chosen []Case, err error) {
	if len(o.servers) == 0 {
		return cases, nil
	}
	for i, name := range o.servers {
		if !slices.Contains(server.Names, name) {
			return nil, fmt.Errorf("there is no server %q: there are %s", name, strings.Join(server.Names, ", "))
		}
		if slices.Contains(o.servers[:i], name) {
			return nil, fmt.Errorf("server %s is named twice", name)
		}
	}
	var without []string
	for _, c := range cases {
		c, cannot := c.Of(o.servers)
		if len(cannot) > 0 {
			without = append(without, fmt.Sprintf("%s cannot be had of %s, but of %s", c.Name, strings.Join(cannot, ", "), strings.Join(c.Able, ", ")))
		}
		if len(c.Servers) > 0 {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("nothing is left to measure: %s", strings.Join(without, "; "))
	}
	for _, text := range without {
		fmt.Fprintln(os.Stderr, "bench:", text)
	}
	return chosen, nil
}
