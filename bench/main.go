//go:build linux

// Command bench measures a real hub from the outside, beside two servers that
// promise nothing, on loopback:
//
//	go run ./bench MODE [flags]
//
// Without arguments it lists the modes; MODE -help lists the flags of one. A run
// in which an event is lost, comes twice or out of order fails.
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
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		fmt.Print(help())
		return nil
	}
	switch args[0] {
	case "serve": // how this program starts the baselines
		return server.Serve(ctx, args[1:])
	case "all":
		collectSeldom()
		return report.Run(ctx, args[1:])
	}
	m, err := mode.Find(args[0])
	if err != nil {
		return fmt.Errorf("%w\n%s", err, help())
	}
	collectSeldom()
	return measure(ctx, m, args[1:])
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
func measure(ctx context.Context, m mode.Mode, args []string) error {
	flags := flag.NewFlagSet(m.Name, flag.ContinueOnError)
	cases := m.Flags(flags)
	servers := flags.String("servers", "", "which of "+strings.Join(server.Names, ", ")+"; by default those that the mode is about")
	rounds := flags.Int("rounds", 1, "how many times, the servers in turn")
	dir := flags.String("dir", "", "where the hub keeps its data meanwhile; by default the folder for temporary files")
	if err := flags.Parse(args); err != nil {
		return err
	}
	k, err := server.NewKit(ctx, *dir)
	if err != nil {
		return err
	}
	defer k.Remove()
	var names []string
	if *servers != "" {
		names = strings.Split(*servers, ",")
	}
	var failed []error
	for _, c := range cases() {
		s := c.Measure(ctx, k, names, *rounds, os.Stderr)
		fmt.Println("\n" + s.Table())
		failed = append(failed, s.Err())
	}
	return errors.Join(failed...)
}
