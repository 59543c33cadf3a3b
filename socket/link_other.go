//go:build !linux

package socket

import (
	"context"
	"errors"
	"fmt"
	"github.com/goicmp/icmplib/internal/netio"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
)

// kernelKeepsID: datagram sockets of other systems send the id that they are
// given.
const kernelKeepsID = false

// datagramExtendedEcho: what is sent is an echo request there.
const datagramExtendedEcho = false

// linkConfig is a Config with what was derived from it.
type linkConfig struct {
	*Config
	version icmp.Version
	mode    Mode
	id      uint16
	ifi     *net.Interface
	zone    uint32 // of Source
}

func (c *linkConfig) ipv6() bool { return c.version == icmp.V6 }

// link is what carries the messages on systems other than Linux.
type link struct {
	carrier
	id      uint16
	drained netio.Watermark
}

// carrier is a socket of the system, or what stands for one. Its errors are what
// errors.Is can be asked about on every system.
type carrier interface {
	send(out []sys.Outbound) (int, error)
	waitWritable(ctx context.Context) error

	// receive waits for up to limit datagrams, and datagram decodes the i-th.
	receive(limit int) (int, error)
	datagram(i int, in *sys.Inbound)

	setReadDeadline(t time.Time) error
	drops() uint64
	setBroadcast(on bool) error
	joinGroup(group netip.Addr, ifi *net.Interface) error
	close() error
}

func unsupported(what string) error {
	return fmt.Errorf("%s is not available on %s: %w", what, runtime.GOOS, errors.ErrUnsupported)
}

func openLink(cfg linkConfig) (*link, error) {
	switch {
	case cfg.Mark != 0:
		return nil, unsupported("a routing mark (Mark)")
	case cfg.SendTimestamps:
		return nil, unsupported("kernel timestamps of what is sent (SendTimestamps)")
	}
	l := &link{id: cfg.id}
	l.drained.Advance(time.Now())
	var err error
	l.carrier, err = openCarrier(cfg, &l.drained)
	return l, err
}

// roundTrip, by the kernel's stamps, is not known here.
func (l *link) roundTrip(uint16, *sys.Inbound) time.Duration { return 0 }

// backlog is not known here.
func (l *link) backlog() float64 { return 0 }

func (l *link) receiveNow(int) (int, error) { return 0, unsupported("receiving without waiting") }

// hasInterface is not asked for: what other systems say of it is passed on.
func (l *link) hasInterface(uint32) bool    { return true }
func (l *link) receiveBuffer() (int, error) { return 0, unsupported("asking for the receive buffer") }
func (l *link) setReceiveBuffer(int) error  { return unsupported("another receive buffer") }

func (l *link) watch(bool) error { return unsupported("receiving without waiting") }

func (l *link) syscallConn() (syscall.RawConn, error) {
	return nil, unsupported("the descriptor (SyscallConn)")
}
