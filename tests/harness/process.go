// Package harness runs real hubs, and clients that write down what they were
// told, for tests and benchmarks that judge from the outside.
package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Build compiles the hub into dir under the name, with flags of go build, and
// returns the program's path.
func Build(ctx context.Context, dir, name string, flags ...string) (string, error) {
	bin := filepath.Join(dir, name)
	args := append(append([]string{"build", "-o", bin}, flags...), "github.com/navehub/nave/cmd/hub")
	out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the hub: %w\n%s", err, out)
	}
	return bin, nil
}

// A Process is a hub that can be killed and started again on the same address
// and data.
type Process struct {
	// Set by New, never changed.
	Bin  string
	Addr string // host:port
	Data string
	Env  []string
	// Files, if not 0, is how many files the hub may have open.
	Files int

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan error
	output bytes.Buffer
}

// New describes a hub on a free port of loopback, with its data in dir.
func New(bin, dir string, env ...string) (*Process, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	return &Process{Bin: bin, Addr: l.Addr().String(), Data: dir, Env: env}, nil
}

// URL is the address of a path of the hub.
func (p *Process) URL(path string) string { return "http://" + p.Addr + path }

// open lets everybody do everything, since most trials are about something else. A
// hub is not so by itself.
var open = []string{"NAVE_AUTH_ANONYMOUS_PUBLISH=**", "NAVE_AUTH_ANONYMOUS_SUBSCRIBE=**,$hub/**", "NAVE_AUTH_ANONYMOUS_ADMIN=**"}

// Start starts the hub and waits until it is ready.
func (p *Process) Start(ctx context.Context) error {
	p.mu.Lock()
	args := []string{p.Bin, "serve", "--listen", p.Addr, "--data", p.Data, "--log-level", "warn"}
	if p.Files > 0 {
		args = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$@"`, p.Files), "sh"}, args...)
	}
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Env = append(append(os.Environ(), open...), p.Env...)
	p.cmd.Stdout, p.cmd.Stderr = &locked{p: p}, &locked{p: p}
	err := p.cmd.Start()
	exited := make(chan error, 1)
	p.exited = exited
	cmd := p.cmd
	p.mu.Unlock()
	if err != nil {
		return err
	}
	go func() { exited <- cmd.Wait() }() // ends with the process
	return p.ready(ctx, exited)
}

func (p *Process) ready(ctx context.Context, exited chan error) error {
	for {
		resp, err := http.Get(p.URL("/readyz"))
		if err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-exited:
			exited <- err
			return fmt.Errorf("the hub ended before it was ready: %w\n%s", err, p.Output())
		case <-ctx.Done():
			return fmt.Errorf("the hub does not get ready: %w\n%s", ctx.Err(), p.Output())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Kill ends the hub as kill -9 does, and waits for its end.
func (p *Process) Kill() error { return p.end(syscall.SIGKILL) }

// Terminate asks the hub to end in good order, and waits for its end.
func (p *Process) Terminate() error { return p.end(syscall.SIGTERM) }

func (p *Process) end(sig syscall.Signal) error {
	p.mu.Lock()
	cmd, exited := p.cmd, p.exited
	p.mu.Unlock()
	if cmd == nil {
		return nil
	}
	if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	err := <-exited
	exited <- err
	var exit *exec.ExitError
	if sig == syscall.SIGKILL && errors.As(err, &exit) {
		return nil
	}
	return err
}

// Signal sends the hub a signal and does not wait: SIGSTOP, SIGCONT.
func (p *Process) Signal(sig syscall.Signal) error { return p.process().Signal(sig) }

// PID is the hub's. It must have been started.
func (p *Process) PID() int { return p.process().Pid }

func (p *Process) process() *os.Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd.Process
}

// Output is what the hub has printed.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

type locked struct{ p *Process }

func (l *locked) Write(b []byte) (int, error) {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	return l.p.output.Write(b)
}

// Usage is what a process has used, from /proc.
type Usage struct {
	RSS, PeakRSS int64 // bytes
	CPU          time.Duration
	Threads      int
	Descriptors  int
}

// Usage reads what the hub uses now.
func (p *Process) Usage() (Usage, error) { return UsageOf(p.PID()) }

// UsageOf reads what any process uses now.
func UsageOf(pid int) (Usage, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return Usage{}, err
	}
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return Usage{}, err
	}
	fds, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return Usage{}, err
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	sys, _ := strconv.ParseInt(fields[12], 10, 64)
	return Usage{
		RSS:         kilobytes(status, "VmRSS:"),
		PeakRSS:     kilobytes(status, "VmHWM:"),
		CPU:         time.Duration(user+sys) * tick,
		Threads:     int(number(status, "Threads:")),
		Descriptors: len(fds),
	}, nil
}

func kilobytes(status []byte, name string) int64 { return number(status, name) << 10 }

func number(status []byte, name string) int64 {
	_, rest, _ := strings.Cut(string(status), name)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(fields[0], 10, 64)
	return n
}
