//go:build linux

package mode

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/navehub/nave/bench/server"
)

// Samples are the figures of one case, by server, one for each round. Those of a
// round that failed are nil.
type Samples struct {
	Case   Case
	Rounds map[string][]Figures
	Failed []error
}

// Measure runs each case on its servers in turn, then all of that once more, round
// by round, so that what else happens on the machine happens to all that is
// compared: servers, and cases. The samples are in the order of the cases.
func Measure(ctx context.Context, k *server.Kit, cases []Case, rounds int, progress io.Writer) []*Samples {
	all := make([]*Samples, len(cases))
	for i, c := range cases {
		all[i] = &Samples{Case: c, Rounds: make(map[string][]Figures)}
	}
	for round := range rounds {
		for _, s := range all {
			for _, name := range s.Case.Servers {
				if ctx.Err() != nil {
					return all
				}
				fmt.Fprintf(progress, "%s, %s, round %d of %d\n", s.Case.Name, name, round+1, rounds)
				s.add(ctx, k, name, progress)
			}
		}
	}
	return all
}

// add runs the case once more on a server.
func (s *Samples) add(ctx context.Context, k *server.Kit, name string, progress io.Writer) {
	figures, err := s.Case.Run(ctx, k, name)
	if err != nil {
		err = fmt.Errorf("%s, %s: %w", s.Case.Name, name, err)
		fmt.Fprintln(progress, "  FAILED:", err)
		s.Failed, figures = append(s.Failed, err), nil
	}
	s.Rounds[name] = append(s.Rounds[name], figures)
}

// Err is what failed.
func (s *Samples) Err() error { return errors.Join(s.Failed...) }
