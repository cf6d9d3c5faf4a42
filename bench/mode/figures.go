//go:build linux

package mode

import "slices"

// values are those of a figure, for the rounds that have it.
func (s *Samples) values(name, key string) (all []float64) {
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
