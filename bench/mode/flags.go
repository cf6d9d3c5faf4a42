//go:build linux

package mode

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Parse reads the flags of a mode, and takes no other words. For -help it prints
// them, and returns [flag.ErrHelp].
func Parse(flags *flag.FlagSet, args []string) error {
	text := new(strings.Builder)
	flags.SetOutput(text)
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(os.Stdout, text)
		return err
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("there is a word too many, %q: everything is said by flags, such as -%[1]s", flags.Arg(0))
	}
	if err != nil {
		return fmt.Errorf("%s: %w; %[1]s -help lists the flags", flags.Name(), err)
	}
	return nil
}

// given reports whether one of the flags was, and not left as it is by default.
func given(f *flag.FlagSet, names ...string) (is bool) {
	f.Visit(func(one *flag.Flag) { is = is || slices.Contains(names, one.Name) })
	return is
}

// A number is a flag from 1 to the most.
type number struct {
	to   *int
	most int
}

// numberVar adds one.
func numberVar(f *flag.FlagSet, to *int, name string, value, most int, usage string) {
	*to = value
	f.Var(number{to, most}, name, usage)
}

// String is the flag's value.
func (n number) String() string {
	if n.to == nil || *n.to == 0 {
		return ""
	}
	return strconv.Itoa(*n.to)
}

// Set parses the flag's value.
func (n number) Set(text string) error {
	i, err := strconv.Atoi(text)
	if err != nil || i < 1 || i > n.most {
		return fmt.Errorf("it must be a number from 1 to %s", Grouped(float64(n.most)))
	}
	*n.to = i
	return nil
}

// A length is a flag of some time, up to the most.
type length struct {
	to   *time.Duration
	most time.Duration
}

// shortest is what can be measured.
const shortest = 10 * time.Millisecond

// lengthVar adds one.
func lengthVar(f *flag.FlagSet, to *time.Duration, name string, value, most time.Duration, usage string) {
	*to = value
	f.Var(length{to, most}, name, usage)
}

// String is the flag's value.
func (l length) String() string {
	if l.to == nil {
		return ""
	}
	return l.to.String()
}

// Set parses the flag's value.
func (l length) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < shortest || d > l.most {
		return fmt.Errorf("it must be a time from %v to %v, such as 5s", shortest, l.most)
	}
	*l.to = d
	return nil
}

// The most that a flag takes: beyond it a machine's ports, or its memory, end.
const (
	mostClients     = 200_000
	mostTopics      = 100_000 // live ones, of a hub
	mostConnections = 10_000
	mostRate        = 1_000_000
	mostEvents      = 3_000_000 // later ones would push the first out of a hub's log
	longest         = time.Hour
)

// numbers is a flag with several values, such as 1,32.
type numbers []int

// String is the flag's value.
func (n *numbers) String() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(*n), " ", ","), "[]")
}

// Set parses the flag's value.
func (n *numbers) Set(text string) error {
	*n = nil
	for part := range strings.SplitSeq(text, ",") {
		i, err := strconv.Atoi(part)
		if err != nil || i <= 0 || i > mostConnections {
			return fmt.Errorf("%q is no number from 1 to %s: write it like 1,32", part, Grouped(mostConnections))
		}
		*n = append(*n, i)
	}
	return nil
}

// texts is a flag with several values, such as raw,hub.
type texts []string

// String is the flag's value.
func (t *texts) String() string { return strings.Join(*t, ",") }

// Set parses the flag's value.
func (t *texts) Set(text string) error {
	*t = strings.Split(text, ",")
	return nil
}
