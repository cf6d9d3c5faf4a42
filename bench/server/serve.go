//go:build linux

package server

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"github.com/navehub/nave/bench/baseline"
)

// Serve is what a child runs: args are a baseline's name and how many events it
// keeps. It prints its address, and ends with its standard input.
func Serve(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("serve takes a baseline and how many events it keeps, not %q", args)
	}
	keep, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	ctx, end := context.WithCancel(ctx)
	go func() { // ends with the standard input
		_, _ = io.Copy(io.Discard, os.Stdin)
		end()
	}()
	fmt.Println(l.Addr())
	switch args[0] {
	case Raw:
		return baseline.Raw(ctx, l.(*net.TCPListener), keep)
	case Naive:
		return baseline.Naive(ctx, l, keep)
	}
	return fmt.Errorf("there is no baseline %q: there are %s and %s", args[0], Raw, Naive)
}
