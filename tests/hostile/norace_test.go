//go:build !race

package hostile

// memoryFactor is how much more memory a program takes that looks for races.
const memoryFactor = 1
