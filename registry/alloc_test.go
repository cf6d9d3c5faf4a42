package registry_test

import (
	"testing"
	"time"

	"github.com/navehub/nave/registry"
)

// A client that comes waits for the first of these; the others are what it costs to
// look, however many clients there are.
func TestAllocations(t *testing.T) {
	r := registry.New(time.Hour)
	defer r.Close()
	for i := range 1000 {
		r.PutClient(client(i))
	}
	r.Flush()
	c := client(1)
	for name, one := range map[string]struct {
		most float64
		do   func()
	}{
		"put":    {2, func() { r.PutClient(c) }},
		"look":   {2, func() { _ = r.Snapshot() }},
		"client": {7, func() { _, _ = r.Snapshot().Client("client-000042") }},
		"count":  {19, func() { _ = r.Snapshot().Count() }},
	} {
		if got := testing.AllocsPerRun(100, one.do); got > one.most {
			t.Errorf("%s: %v allocations, want at most %v", name, got, one.most)
		}
	}
}
