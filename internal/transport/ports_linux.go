package transport

import (
	"errors"
	"math/rand/v2"
	"os"
	"syscall"

	"golang.org/x/net/bpf"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
)

// The range of drawn source ports: the ephemeral ports of Linux.
const (
	drawFrom = 32768
	drawTo   = 61000
	draws    = 100
)

// claimPorts takes the ports of a Config, or draws free ones. take takes the i-th of
// them; release gives back the taken ones.
func claimPorts(cfg *linkConfig, take func(i int, port uint16) error, release func()) (first uint16, err error) {
	claim := func(first uint16) error {
		for i := range cfg.Ports {
			if err := take(i, first+uint16(i)); err != nil {
				release()
				return err
			}
		}
		return nil
	}
	if cfg.FirstPort != 0 {
		return cfg.FirstPort, claim(cfg.FirstPort)
	}
	for range draws {
		first = uint16(drawFrom + rand.N(drawTo-drawFrom-cfg.Ports))
		if err = claim(first); !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return first, err
}

// hold keeps other processes from a port, and the kernel from answering UDP replies
// with port unreachable, as it does for a port without a socket. The socket does not
// listen, so that the kernel answers a SYN-ACK with RST. It drops all packets; raw
// sockets get a copy.
func hold(cfg *linkConfig, port uint16) (*sys.Socket, error) {
	s, err := sys.OpenIdle(cfg.ipv6(), uint8(cfg.Protocol))
	if err != nil {
		return nil, err
	}
	err = s.AttachFilter([]bpf.Instruction{bpf.RetConstant{Val: drop}})
	if err == nil {
		// On another interface, the port may still be held: see engine.Pool.
		err = cfg.route(s)
	}
	if err == nil {
		err = s.Bind(cfg.local(), cfg.zone, port)
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// holdable reports whether the kernel knows the ports of the protocol. It does not open
// an SCTP socket, because that would load the kernel's SCTP.
func holdable(protocol icmp.Protocol) bool {
	if protocol != icmp.SCTP {
		return true
	}
	_, err := os.Stat("/proc/net/sctp")
	return err == nil
}
