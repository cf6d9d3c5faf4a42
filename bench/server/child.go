package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A child is this program itself, as a baseline. It ends when its standard input
// does, so that none is left behind.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

func startChild(ctx context.Context, name string, keep int) (*Server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(self, "serve", name, strconv.Itoa(keep))}
	c.cmd.Stderr = os.Stderr
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { c.stdin.Close() })
	defer stop()
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("%s ended before it was ready: %w", name, c.cmd.Wait())
	}
	return &Server{Name: name, Addr: strings.TrimSpace(addr), child: c}, nil
}

func (c *child) pid() int { return c.cmd.Process.Pid }

func (c *child) stop() error {
	c.stdin.Close()
	const patience = 10 * time.Second
	late := time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() })
	defer late.Stop()
	return c.cmd.Wait()
}
