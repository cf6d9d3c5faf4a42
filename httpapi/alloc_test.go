package httpapi

import "testing"

// An event owns what it was published with, each text by itself, since the body's
// buffer is used again: six of these, and what holds the events.
func TestDecodeAllocations(t *testing.T) {
	for name, body := range published() {
		most := map[string]float64{"one": 8, "array": 620}[name]
		got := testing.AllocsPerRun(100, func() {
			if _, err := decodeEvents([]byte(body), 100); err != nil {
				t.Fatal(err)
			}
		})
		if got > most {
			t.Errorf("%s: %v allocations, want at most %v", name, got, most)
		}
	}
}
