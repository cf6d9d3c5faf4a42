package grafana

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// exported is what Prometheus knows of a hub, by the names of its series.
type exported map[string]*metric

type metric struct {
	family string
	labels map[string]map[string]bool // and their values; nil is any value
	grows  bool                       // as counters do
}

// an answer is what an expression would give.
type answer struct {
	hub      exported
	metrics  map[string]bool // that it asks for
	labels   []string        // of its results
	problems []string
}

// ask says what of an expression a hub does not export.
func (x exported) ask(expr string) *answer {
	a := &answer{hub: x, metrics: map[string]bool{}}
	e, err := parser.ParseExpr(strings.ReplaceAll(expr, "$__rate_interval", "5m"))
	if err != nil {
		a.problem("parse error: %v", err)
		return a
	}
	a.labels = a.of(e)
	return a
}

func (a *answer) problem(format string, args ...any) {
	a.problems = append(a.problems, fmt.Sprintf(format, args...))
}

// mayShow checks that each label in a text, as found by its first group, is one of
// the results.
func (a *answer) mayShow(label *regexp.Regexp, text string) {
	for _, m := range label.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(a.labels, m[1]) {
			a.problem("%s is no label of the results", m[1])
		}
	}
}

// of checks an expression, and returns the labels that its results have.
func (a *answer) of(e parser.Expr) []string {
	switch e := e.(type) {
	case *parser.VectorSelector:
		return a.selected(e)
	case *parser.MatrixSelector:
		return a.of(e.VectorSelector)
	case *parser.ParenExpr:
		return a.of(e.Expr)
	case *parser.NumberLiteral, *parser.StringLiteral:
		return nil
	case *parser.AggregateExpr:
		inner := a.of(e.Expr)
		a.has(inner, e.Grouping)
		if e.Without || e.Param != nil {
			a.problem("%s is not understood here", e)
		}
		return e.Grouping
	case *parser.Call:
		return a.called(e)
	case *parser.BinaryExpr:
		return a.combined(e)
	}
	a.problem("%s is not understood here", e)
	return nil
}

// has checks that labels are among those of what is grouped or matched, unless
// that has none for not being there at all.
func (a *answer) has(labels, wanted []string) {
	if labels == nil {
		return
	}
	for _, l := range wanted {
		if !slices.Contains(labels, l) {
			a.problem("%s is no label of what it is by", l)
		}
	}
}

func (a *answer) selected(s *parser.VectorSelector) []string {
	a.metrics[s.Name] = true
	m := a.hub[s.Name]
	if m == nil {
		a.problem("no hub exports %s", s.Name)
		return nil
	}
	for _, matcher := range s.LabelMatchers {
		if matcher.Name == model.MetricNameLabel {
			continue
		}
		values, ok := m.labels[matcher.Name]
		if !ok {
			a.problem("%s has no label %s", s.Name, matcher.Name)
			continue
		}
		for _, v := range alternatives(matcher) {
			if values != nil && !values[v] {
				a.problem("%s of %s is never %q", matcher.Name, s.Name, v)
			}
		}
	}
	var all []string
	for l := range m.labels {
		all = append(all, l)
	}
	return all
}

// alternatives are the values that a matcher names: of regular expressions, only
// lists of words are used.
func alternatives(m *labels.Matcher) []string {
	if m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp {
		return strings.Split(m.Value, "|")
	}
	return []string{m.Value}
}

func (a *answer) called(c *parser.Call) []string {
	var labels []string
	for _, arg := range c.Args {
		labels = append(labels, a.of(arg)...)
		if m, ok := arg.(*parser.MatrixSelector); ok && (c.Func.Name == "rate" || c.Func.Name == "increase") {
			name := m.VectorSelector.(*parser.VectorSelector).Name
			if series := a.hub[name]; series != nil && !series.grows {
				a.problem("%s is no counter", name)
			}
		}
	}
	switch c.Func.Name {
	case "absent":
		return nil
	case "histogram_quantile":
		a.has(labels, []string{"le"})
		return slices.DeleteFunc(labels, func(l string) bool { return l == "le" })
	}
	return labels
}

func (a *answer) combined(b *parser.BinaryExpr) []string {
	left, right := a.of(b.LHS), a.of(b.RHS)
	m := b.VectorMatching
	if m == nil { // one of them is a number
		return append(left, right...)
	}
	a.has(left, m.MatchingLabels)
	a.has(right, m.MatchingLabels)
	switch {
	case b.Op == parser.LOR:
		return slices.DeleteFunc(left, func(l string) bool { return !slices.Contains(right, l) })
	case m.On && m.Card == parser.CardOneToOne:
		return m.MatchingLabels
	}
	return left // nothing here has its many on the right side
}
