//go:build !linux

package client

import (
	"errors"
	"net"
)

// A poller is for Linux only: elsewhere every connection has a goroutine that
// reads.
type poller struct{}

func (*poller) add(int, func()) (uint64, error) { return 0, errors.ErrUnsupported }

func (*poller) remove(uint64) {}

// ListenConfig is for Linux only: elsewhere each connection is prepared by itself.
func ListenConfig() *net.ListenConfig { return new(net.ListenConfig) }

// prepare has no descriptor to return.
func prepare(conn net.Conn) int {
	if tcp, ok := conn.(interface {
		SetWriteBuffer(bytes int) error
		SetKeepAliveConfig(config net.KeepAliveConfig) error
	}); ok {
		_ = tcp.SetWriteBuffer(socketBuffer)
		_ = tcp.SetKeepAliveConfig(keepAlive)
	}
	return -1
}

// backlog is not known: a write may wait.
func backlog(int) int { return 0 }

func tryWrite(int, [][]byte) (int, error) { return 0, nil }
