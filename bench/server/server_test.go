package server

import (
	"os"
	"strings"
	"testing"
)

// The program's size, and what it does, are those of the one that is shipped.
func TestTheHubIsBuiltAsMakeDoes(t *testing.T) {
	text, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	rest, _, _ := strings.Cut(string(text), " -o bin/hub")
	const command = "CGO_ENABLED=0 go build "
	made := rest[strings.LastIndex(rest, command)+len(command):]
	made = strings.Replace(made, "$(if $(VERSION), -X main.version=$(VERSION))", "", 1)
	if want := strings.ReplaceAll(made, "-ldflags '-s -w'", "-ldflags=-s -w"); strings.Join(flags, " ") != want {
		t.Errorf("the hub is built with %q, and by make with %q", flags, made)
	}
}

// A server that somebody's shell has set up otherwise has other figures.
func TestServersDoNotInheritSettings(t *testing.T) {
	t.Setenv("NAVE_LOG_LEVEL", "debug")
	t.Setenv("GOGC", "1000")
	t.Setenv("GOMAXPROCS", "1")
	k, err := NewKit(t.Context(), t.TempDir(), "/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	defer k.Remove()
	for _, setting := range os.Environ() {
		if strings.HasPrefix(setting, "NAVE_") || strings.HasPrefix(setting, "GOGC=") || strings.HasPrefix(setting, "GOMAXPROCS=") {
			t.Errorf("servers inherit %s", setting)
		}
	}
}
