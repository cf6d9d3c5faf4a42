//go:build linux

// Command bench measures a real hub from the outside, beside two servers that
// promise nothing, on loopback:
//
//	go run ./bench MODE [flags]
//
// Without arguments it lists the modes; MODE -help lists the flags of one. A run
// in which an event is lost, comes twice or out of order, or is not there
// afterwards, fails. The exit code is 1 then, and 2 for words that make no sense.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/navehub/nave/bench/mode"
	"github.com/navehub/nave/bench/report"
	"github.com/navehub/nave/bench/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

func run(ctx context.Context, args []string) int {
	do, err := prepare(args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 2
	}
	if err := do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	return 0
}

// prepare reads all words, so that nothing is built or started for wrong ones.
func prepare(args []string) (do func(context.Context) error, err error) {
	if len(args) == 0 {
		args = []string{"help"}
	}
	switch args[0] {
	case "serve": // how this program starts the baselines
		return func(ctx context.Context) error { return server.Serve(ctx, args[1:]) }, nil
	case "help", "-help", "--help", "-h":
		fmt.Print(help())
		return nil, flag.ErrHelp
	}
	collectSeldom()
	if args[0] == "all" {
		return report.Prepare(args[1:])
	}
	m, err := mode.Find(args[0])
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, help())
	}
	return measure(m, args[1:])
}

// collectSeldom keeps the load from taking processors for its few leftovers.
func collectSeldom() { debug.SetGCPercent(400) }

func help() string {
	var b strings.Builder
	fmt.Fprintln(&b, "usage: go run ./bench MODE [flags]; MODE -help lists the flags")
	fmt.Fprintf(&b, "  %-10s %s\n", "all", "every mode, for bench/RESULTS.md; -quick tries them in three minutes")
	for _, m := range mode.All {
		fmt.Fprintf(&b, "  %-10s %s\n", m.Name, m.Doc)
	}
	return b.String()
}

// measure runs the cases of one mode and prints their tables.
func measure(m mode.Mode, args []string) (func(context.Context) error, error) {
	flags := flag.NewFlagSet(m.Name, flag.ContinueOnError)
	var o mode.Options
	o.Flags(flags)
	cases, err := m.Cases(flags, args)
	if err == nil {
		cases, err = o.Choose(cases)
	}
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		k, err := server.NewKit(ctx, o.Dir, o.Program)
		if err != nil {
			return err
		}
		defer k.Remove()
		var failed []error
		for _, s := range mode.Measure(ctx, k, cases, o.Rounds, os.Stderr) {
			fmt.Println("\n" + s.Table())
			failed = append(failed, s.Err())
		}
		return errors.Join(append(failed, ctx.Err())...)
	}, nil
}
