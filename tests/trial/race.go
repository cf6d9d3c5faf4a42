//go:build race

package trial

// Race reports whether the tests look for data races, which makes everything slower
// and larger.
const Race = true
