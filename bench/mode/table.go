//go:build linux

package mode

import (
	"fmt"
	"strings"
)

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
			row = append(row, cell(s.values(name, c.Key), c.Format))
		}
		rows = append(rows, row)
	}
	return Markdown(rows)
}

func (s *Samples) has(key string) bool {
	for _, name := range s.Case.Servers {
		for _, v := range s.values(name, key) {
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
