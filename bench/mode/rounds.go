//go:build linux

package mode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

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

// Values are those of a figure, for the rounds that have it.
func (s *Samples) Values(name, key string) (all []float64) {
	for _, f := range s.Rounds[name] {
		if v, ok := f[key]; ok {
			all = append(all, v)
		}
	}
	return all
}

// Median is the middle one of values, which are sorted by it. There must be one.
func Median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// Table is the figures in Markdown, wide enough to be read as it is: medians, and
// from which to which if there are several rounds.
func (s *Samples) Table() string {
	rows := [][]string{{s.Case.Name}}
	var columns []Column
	for _, c := range s.Case.Columns {
		if s.has(c.Key) {
			columns = append(columns, c)
			rows[0] = append(rows[0], c.Title)
		}
	}
	for _, name := range s.Case.Servers {
		row := []string{name}
		for _, c := range columns {
			row = append(row, cell(s.Values(name, c.Key), c.Format))
		}
		rows = append(rows, row)
	}
	return Markdown(rows)
}

func (s *Samples) has(key string) bool {
	for _, name := range s.Case.Servers {
		for _, v := range s.Values(name, key) {
			if v != 0 {
				return true
			}
		}
	}
	return false
}

func cell(values []float64, format func(float64) string) string {
	if len(values) == 0 {
		return "–"
	}
	text := format(Median(values))
	if least, most := format(values[0]), format(values[len(values)-1]); least != most {
		number, _, _ := strings.Cut(least, " ")
		upTo, _, _ := strings.Cut(most, " ")
		text += " (" + number + "–" + upTo + ")"
	}
	return text
}

// Markdown is a table; the first row is its head.
func Markdown(rows [][]string) string {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, text := range row {
			width[i] = max(width[i], len([]rune(text)))
		}
	}
	var b strings.Builder
	for n, row := range rows {
		for i, text := range row {
			if i == 0 {
				fmt.Fprintf(&b, "| %-*s ", width[i], text)
			} else {
				fmt.Fprintf(&b, "| %*s ", width[i], text)
			}
		}
		b.WriteString("|\n")
		for i := 0; n == 0 && i < len(row); i++ {
			line := strings.Repeat("-", width[i]+1)
			if i == 0 {
				b.WriteString("|" + line + "-")
			} else {
				b.WriteString("|" + line + ":")
			}
		}
		if n == 0 {
			b.WriteString("|\n")
		}
	}
	return b.String()
}
