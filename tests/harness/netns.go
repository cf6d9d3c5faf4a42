//go:build linux

package harness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A Network is a network namespace joined to the host by a pair of virtual
// interfaces. What is dialed from inside crosses that pair, and can be made to
// vanish as a browser does whose radio is switched off.
type Network struct {
	// Host is the host's address on the network.
	Host netip.Addr
	// Inside is the address that connections from inside come from.
	Inside netip.Addr

	name string // of the namespace
	// outer is the host's interface, inner the namespace's.
	outer, inner string
}

// ErrNoNetwork says what it takes to make a network and is not there.
var ErrNoNetwork = errors.New("no network namespaces here")

var networks atomic.Uint32 // made by this process

// NewNetwork makes a network. The error is [ErrNoNetwork] if this machine, or
// this user, cannot have any.
func NewNetwork(ctx context.Context) (*Network, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("%w: it takes root, and this is user %d", ErrNoNetwork, os.Geteuid())
	}
	if _, err := exec.LookPath("ip"); err != nil {
		return nil, fmt.Errorf("%w: it takes the program ip, of iproute2: %w", ErrNoNetwork, err)
	}
	serial := networks.Add(1)
	subnet, err := freeSubnet(serial)
	if err != nil {
		return nil, err
	}
	host := subnet.Addr().Next()
	name := fmt.Sprintf("nave-%d-%d", os.Getpid(), serial)
	n := &Network{
		Host: host, Inside: host.Next(), name: name,
		outer: fmt.Sprintf("nv%do%d", os.Getpid(), serial), inner: fmt.Sprintf("nv%di%d", os.Getpid(), serial),
	}
	if err := ip(ctx, "netns", "add", name); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoNetwork, err)
	}
	if err := n.join(ctx, subnet.Bits()); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// join connects the namespace with the host. The host knows the neighbor for
// good: otherwise it would soon find that nobody answers, and tell the sockets.
func (n *Network) join(ctx context.Context, bits int) error {
	if err := ip(ctx, "link", "add", n.outer, "type", "veth", "peer", "name", n.inner, "netns", n.name); err != nil {
		return fmt.Errorf("%w: %w", ErrNoNetwork, err)
	}
	inner, err := exec.CommandContext(ctx, "ip", "-n", n.name, "-br", "link", "show", n.inner).Output()
	fields := strings.Fields(string(inner)) // name, state, hardware address
	if err != nil || len(fields) < 3 {
		return fmt.Errorf("look at %s: %q: %w", n.inner, inner, err)
	}
	for _, args := range [][]string{
		{"addr", "add", fmt.Sprintf("%s/%d", n.Host, bits), "dev", n.outer},
		{"link", "set", n.outer, "up"},
		{"neigh", "replace", n.Inside.String(), "lladdr", fields[2], "dev", n.outer, "nud", "permanent"},
		{"-n", n.name, "addr", "add", fmt.Sprintf("%s/%d", n.Inside, bits), "dev", n.inner},
	} {
		if err := ip(ctx, args...); err != nil {
			return err
		}
	}
	return n.Return(ctx)
}

// freeSubnet is one of the 16,384 subnets of four addresses in 10.99.0.0/16 that
// no interface has.
func freeSubnet(serial uint32) (netip.Prefix, error) {
	taken, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Prefix{}, err
	}
	for try := range uint32(100) {
		// Processes that run at the same time have other numbers.
		at := (uint32(os.Getpid())*8 + serial + 797*try) % (1 << 14) * 4
		subnet := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 99, byte(at >> 8), byte(at)}), 30)
		if !overlaps(subnet, taken) {
			return subnet, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("%w: 10.99.0.0/16 is in use", ErrNoNetwork)
}

func overlaps(subnet netip.Prefix, taken []net.Addr) bool {
	for _, a := range taken {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Overlaps(subnet) {
			return true
		}
	}
	return false
}

// Dial connects from inside to a TCP address of the host. The connection stays of
// this network and is else as any other.
func (n *Network) Dial(ctx context.Context, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	fd, err := n.socket()
	if err != nil {
		return nil, fmt.Errorf("a socket in %s: %w", n.name, err)
	}
	file := os.NewFile(uintptr(fd), n.name)
	defer file.Close() // FileConn makes its own
	if deadline, ok := ctx.Deadline(); ok {
		left := unix.NsecToTimeval(max(time.Until(deadline), time.Millisecond).Nanoseconds())
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &left); err != nil {
			return nil, err
		}
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}); err != nil {
		return nil, fmt.Errorf("dial %s from %s: %w", address, n.name, err)
	}
	return net.FileConn(file)
}

// socket makes a socket inside. It is the thread that is of a network, so the
// goroutine keeps to its thread meanwhile.
func (n *Network) socket() (fd int, err error) {
	inside, err := os.Open("/run/netns/" + n.name)
	if err != nil {
		return 0, err
	}
	defer inside.Close()
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return 0, err
	}
	defer home.Close()
	if err := unix.Setns(int(inside.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return 0, err
	}
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		panic("a thread is lost in another network: " + back.Error()) // it must serve nobody else
	}
	runtime.UnlockOSThread()
	return fd, err
}

// Vanish loses what is sent in either direction from now on, without a word to
// either side.
func (n *Network) Vanish(ctx context.Context) error {
	return ip(ctx, "-n", n.name, "link", "set", n.inner, "down")
}

// Return ends that.
func (n *Network) Return(ctx context.Context) error {
	if err := ip(ctx, "-n", n.name, "link", "set", n.inner, "up"); err != nil {
		return err
	}
	// So that a hub at another address of the host is found too.
	return ip(ctx, "-n", n.name, "route", "replace", "default", "via", n.Host.String())
}

// Close removes the network. Connections from inside that are still open end
// with their own Close.
func (n *Network) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	// A namespace lives on while a socket is of it, and would keep the interfaces.
	var failed error
	if _, err := net.InterfaceByName(n.outer); err == nil {
		failed = ip(ctx, "link", "delete", n.outer)
	}
	return errors.Join(failed, ip(ctx, "netns", "delete", n.name))
}

func ip(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
