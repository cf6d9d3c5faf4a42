//go:build !linux

package client

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// A poller is for Linux only: elsewhere every connection has a goroutine that
// reads.
type poller struct{}

func (*poller) add(net.Conn, func()) (uint64, error) { return 0, errors.ErrUnsupported }

func (*poller) remove(net.Conn, uint64) {}

func limitUnacknowledged(syscall.Conn, time.Duration) {}

// backlog is not known: a write may wait.
func backlog(net.Conn) int { return 0 }

func descriptor(net.Conn) int { return -1 }

func tryWrite(int, [][]byte) (int, error) { return 0, nil }
