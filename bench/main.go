// Command bench measures a real hub from the outside.
//
//	go run ./bench reference [-for 60s] [-clients 30] [-rate 100]
//
// reference is the load of the application that the hub was made for: a few
// dozen browsers, a hundred durable events a second. It prints what the hub
// takes for it, and how long an event is on its way.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] != "reference" {
		return errors.New("which one? there is: reference")
	}
	var load reference
	flags := flag.NewFlagSet("reference", flag.ContinueOnError)
	flags.DurationVar(&load.length, "for", time.Minute, "how long to publish")
	flags.IntVar(&load.clients, "clients", 30, "subscribers")
	flags.IntVar(&load.rate, "rate", 100, "events a second")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	return load.run(ctx)
}
