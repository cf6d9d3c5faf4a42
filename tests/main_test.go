// Package tests tries the whole hub from the outside: real processes, real
// sockets, a real disk. Each promise of the design has a test of its name. The
// folders beside it try what may go wrong.
package tests

import (
	"testing"

	"github.com/navehub/nave/tests/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }
