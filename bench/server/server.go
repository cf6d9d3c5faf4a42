// Package server starts the servers that are measured, each a process of its own,
// and reads from /proc what it takes.
package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/navehub/nave/tests/harness"
)

// The servers that there are.
const (
	Raw       = "raw"
	Naive     = "naive"
	Hub       = "hub"
	Memory    = "hub-memory"
	Transient = "hub-transient"
	Tokens    = "hub-tokens" // durable, and demands a token of everybody
)

// Names are all of them.
var Names = []string{Raw, Naive, Hub, Memory, Transient, Tokens}

// IsHub reports whether it is the hub, with topics of whatever durability.
func IsHub(name string) bool { return strings.HasPrefix(name, Hub) }

// A Kit is what servers are started from: the hub's program, and a place for data.
type Kit struct {
	Program string // the hub's
	// Stand, if set, makes what stands for a hub instead: for tests of the modes.
	Stand func(name, data string) (addr string, p Process, err error)
	// Patience is how long what was published may take to be received in the end.
	// Defaults to 20 seconds.
	Patience time.Duration

	dir    string
	access access
}

// A Process is a hub that can be ended and started again on the same address and data.
type Process interface {
	Start(ctx context.Context) error // returns when it is ready
	Terminate() error
	Kill() error
	Output() string
	Usage() (harness.Usage, error)
}

// flags are those of make build.
var flags = []string{"-trimpath", "-ldflags=-s -w"}

// NewKit makes a new folder below dir; "" is the system's for temporary files. It
// builds the hub there as make build does, unless it is given a program. Settings of
// Go's runtime and of the hub are taken out of this process's environment, which
// servers inherit.
func NewKit(ctx context.Context, dir, program string) (*Kit, error) {
	if err := clearEnvironment(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(dir, "nave-bench-")
	if err != nil {
		return nil, err
	}
	k := &Kit{dir: dir}
	if program != "" {
		k.Program, err = filepath.Abs(program)
		return k, err
	}
	if err := os.Setenv("CGO_ENABLED", "0"); err != nil { // as make build has it
		return nil, err
	}
	k.Program, err = harness.Build(ctx, dir, "hub", flags...)
	return k, err
}

// Remove removes it all.
func (k *Kit) Remove() error { return os.RemoveAll(k.dir) }

// Dir is where it all is, on the disk that durable events are written to.
func (k *Kit) Dir() string { return k.dir }

// Data makes an empty folder.
func (k *Kit) Data() (string, error) { return os.MkdirTemp(k.dir, "data-") }

// A Server is one that runs.
type Server struct {
	Name  string
	Addr  string // host:port
	Token string // that it demands; "" for none
	Data  string // folder of a hub's log

	hub   Process
	child *child
}

// Start starts the server of this name, empty. The baselines keep so many events
// for those who come with a cursor.
func (k *Kit) Start(ctx context.Context, name string, keep int) (*Server, error) {
	syscall.Sync() // what others have written is not to be written while this one is measured
	switch {
	case !slices.Contains(Names, name):
		return nil, fmt.Errorf("there is no server %q: there are %s", name, strings.Join(Names, ", "))
	case !IsHub(name):
		return startChild(ctx, name, keep)
	}
	data, err := k.Data()
	if err != nil {
		return nil, err
	}
	return k.StartHub(ctx, name, data)
}

// StartHub starts a hub on data that may be there already.
func (k *Kit) StartHub(ctx context.Context, name, data string) (*Server, error) {
	stand := k.Stand
	if stand == nil {
		stand = k.process
	}
	addr, hub, err := stand(name, data)
	if err != nil {
		return nil, err
	}
	if err := hub.Start(ctx); err != nil {
		_ = hub.Kill()
		return nil, err
	}
	s := &Server{Name: name, Addr: addr, Data: data, hub: hub}
	if name == Tokens && k.Stand == nil { // what stands for a hub demands none
		if s.Token, err = k.access.token(); err != nil {
			return nil, errors.Join(err, s.Stop())
		}
	}
	return s, nil
}

func (k *Kit) process(name, data string) (string, Process, error) {
	env := []string{"NAVE_LEVELS_AUTOMATIC=off"} // or what is measured would change while it is
	switch name {
	case Hub:
	case Tokens:
		demands, err := k.access.demand(k.dir)
		if err != nil {
			return "", nil, err
		}
		env = append(env, demands...)
	default:
		durability := strings.TrimPrefix(name, Hub+"-")
		env = append(env, `NAVE_TOPICS=[{filter: "**", durability: `+durability+`}]`)
	}
	hub, err := harness.New(k.Program, filepath.Join(data, "log"), env...)
	if err != nil {
		return "", nil, err
	}
	return hub.Addr, hub, nil
}

// Restart ends a hub in good order and starts it again on the same address.
func (s *Server) Restart(ctx context.Context) error {
	if s.hub == nil {
		return fmt.Errorf("%s cannot be restarted: it stores nothing", s.Name)
	}
	if err := s.hub.Terminate(); err != nil {
		return err
	}
	return s.hub.Start(ctx)
}

// Crash ends a hub as kill -9 does and starts it again on the same address.
func (s *Server) Crash(ctx context.Context) error {
	if s.hub == nil {
		return fmt.Errorf("%s cannot be restarted: it stores nothing", s.Name)
	}
	if err := s.hub.Kill(); err != nil {
		return err
	}
	return s.hub.Start(ctx)
}

// Stop ends the server and removes its data.
func (s *Server) Stop() error {
	if s.child != nil {
		return s.child.stop()
	}
	if err := s.hub.Kill(); err != nil {
		return err
	}
	return os.RemoveAll(s.Data)
}

// Terminate ends a hub in good order, and leaves its data.
func (s *Server) Terminate() error { return s.hub.Terminate() }

// Kill ends a hub at once, and leaves its data.
func (s *Server) Kill() error { return s.hub.Kill() }

// Output is what a hub has printed.
func (s *Server) Output() string {
	if s.hub == nil {
		return ""
	}
	return s.hub.Output()
}

// Usage is what the process has used so far.
func (s *Server) Usage() (harness.Usage, error) {
	if s.child != nil {
		return harness.UsageOf(s.child.pid())
	}
	return s.hub.Usage()
}
