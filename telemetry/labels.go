package telemetry

import (
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// other stands for every value that is not in its choice, as semantic
// conventions have it for error.type.
const other = "_OTHER"

// A choice is one attribute and all values that it may have; other is the last.
type choice struct {
	key    attribute.Key
	values []string
}

// newChoice takes strings, and types that have a text form.
func newChoice[V any](key attribute.Key, values ...V) choice {
	c := choice{key: key}
	for _, v := range values {
		c.values = append(c.values, fmt.Sprint(v))
	}
	c.values = append(c.values, other)
	return c
}

// index is the value's place. The lists are short: looking through one is faster
// than hashing.
func (c choice) index(value string) int {
	for i, v := range c.values {
		if v == value {
			return i
		}
	}
	return len(c.values) - 1
}

// labels are a set of attributes, ready to be passed on without allocating.
type labels struct {
	add     []metric.AddOption
	record  []metric.RecordOption
	observe []metric.ObserveOption
}

// A table has the labels of every combination of its choices.
type table struct {
	choices []choice
	labels  []labels
}

func newTable(choices ...choice) table {
	size := 1
	for _, c := range choices {
		size *= len(c.values)
	}
	t := table{choices, make([]labels, size)}
	for i := range t.labels {
		t.labels[i] = t.build(i)
	}
	return t
}

// build makes the labels at place i, whose digits are the places of the values.
func (t table) build(i int) labels {
	attrs := make([]attribute.KeyValue, 0, len(t.choices))
	for n := len(t.choices) - 1; n >= 0; n-- {
		c := t.choices[n]
		attrs = append(attrs, c.key.String(c.values[i%len(c.values)]))
		i /= len(c.values)
	}
	set := metric.WithAttributeSet(attribute.NewSet(attrs...))
	return labels{
		add:     []metric.AddOption{set},
		record:  []metric.RecordOption{set},
		observe: []metric.ObserveOption{set},
	}
}

// of finds the labels of one value for each choice.
func (t *table) of(values ...string) *labels { return &t.labels[t.place(values...)] }

// place is where they are.
func (t *table) place(values ...string) (i int) {
	for n, c := range t.choices {
		i = i*len(c.values) + c.index(values[n])
	}
	return i
}
