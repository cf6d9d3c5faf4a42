// Command hub runs Nave, publishes to it, and shows what happens there.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(run(interruptible(), os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
}

// interruptible ends with the first signal, so that a command can stop in good
// order. The second one does not wait for that.
func interruptible() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { // ends with the process
		<-signals
		cancel()
		<-signals
		os.Exit(exitInterrupted)
	}()
	return ctx
}
