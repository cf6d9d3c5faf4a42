//go:build linux

// Package mode has the ways in which bench measures: each mode is some cases, and
// each case is run on one server after the other.
package mode

import (
	"context"
	"flag"
	"fmt"

	"github.com/navehub/nave/bench/server"
)

// A Mode is a way of measuring, with flags of its own.
type Mode struct {
	Name string
	Doc  string
	// Flags adds the mode's flags; cases is called when they are parsed.
	Flags func(f *flag.FlagSet) (cases func() []Case)
}

// A Case is one measurement that can be made of several servers.
type Case struct {
	Name    string
	Servers []string // of which it is made unless somebody says otherwise
	Columns []Column
	Run     func(ctx context.Context, k *server.Kit, name string) (Figures, error)
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
	baselines  = []string{server.Raw, server.Naive, server.Hub}
	durability = []string{server.Naive, server.Hub, server.Memory, server.Transient}
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
