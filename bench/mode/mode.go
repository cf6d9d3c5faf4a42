//go:build linux

// Package mode has the ways in which bench measures: each mode is some cases, and
// each case is run on one server after the other.
package mode

import (
	"context"
	"flag"
	"fmt"
	"slices"

	"github.com/navehub/nave/bench/server"
)

// A Mode is a way of measuring, with flags of its own.
type Mode struct {
	Name string
	Doc  string
	// Flags adds the mode's flags; cases is called when they are parsed.
	Flags func(f *flag.FlagSet) (cases func() ([]Case, error))
}

// Cases are those that the arguments ask for. They are also for flags that were
// added before.
func (m Mode) Cases(flags *flag.FlagSet, args []string) ([]Case, error) {
	cases := m.Flags(flags)
	if err := Parse(flags, args); err != nil {
		return nil, err
	}
	all, err := cases()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Name, err)
	}
	return all, nil
}

// A Case is one measurement that can be made of several servers.
type Case struct {
	Name    string
	Servers []string // of which it is made unless somebody says otherwise
	Able    []string // all of which it can be made; nil is every one
	Columns []Column
	Run     func(ctx context.Context, k *server.Kit, name string) (Figures, error)
}

// Of is the case of other servers, without those that cannot do it.
func (c Case) Of(names []string) (_ Case, cannot []string) {
	c.Servers = nil
	for _, name := range names {
		if c.Able == nil || slices.Contains(c.Able, name) {
			c.Servers = append(c.Servers, name)
		} else {
			cannot = append(cannot, name)
		}
	}
	return c, cannot
}

// Figures are what was measured, by the key of their column.
type Figures map[string]float64

// A Column is a figure in a table.
type Column struct {
	Key    string
	Title  string
	Format func(float64) string
}

// All are the modes, in the order in which they are documented.
var All = []Mode{idleMode, latencyMode, fanoutMode, publishMode, reconnectMode, churnMode, topicsMode, wildcardMode, startMode}

var (
	baselines = []string{server.Raw, server.Naive, server.Hub}
	// batching servers take several events in a request, and keeping ones give a
	// client that returns what it has missed.
	batching = []string{server.Hub, server.Memory, server.Transient}
	keeping  = []string{server.Raw, server.Naive, server.Hub, server.Memory}
	// durable ones have all of it after a restart.
	durable = []string{server.Hub}
)

// Find is the mode of this name.
func Find(name string) (Mode, error) {
	for _, m := range All {
		if m.Name == name {
			return m, nil
		}
	}
	return Mode{}, fmt.Errorf("there is no mode %q", name)
}
