//go:build !linux

// Command bench measures a real hub from the outside. It needs Linux.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: it needs Linux, for epoll and /proc")
	os.Exit(1)
}
