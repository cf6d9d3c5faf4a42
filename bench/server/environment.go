package server

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// runtimeSettings change how any program in Go runs.
var runtimeSettings = []string{"GOGC", "GOMEMLIMIT", "GODEBUG", "GOMAXPROCS"}

// clearEnvironment takes out what would change the servers that are measured, and
// says so: no figure would tell it.
func clearEnvironment() error {
	var failed []error
	for _, setting := range os.Environ() {
		name, _, _ := strings.Cut(setting, "=")
		if strings.HasPrefix(name, "NAVE_") || slices.Contains(runtimeSettings, name) {
			fmt.Fprintf(os.Stderr, "bench: servers are measured without %s, which the environment has\n", name)
			failed = append(failed, os.Unsetenv(name))
		}
	}
	return errors.Join(failed...)
}
