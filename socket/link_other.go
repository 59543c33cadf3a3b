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

// kernelKeepsID: datagram sockets of other systems send the id that is in the message.
const kernelKeepsID = false

// datagramExtendedEcho: datagram sockets of other systems send only echo requests.
const datagramExtendedEcho = false

// linkConfig is a Config with the values derived from it.
type linkConfig struct {
	*Config
	version icmp.Version
	mode    Mode
	id      uint16
	ifi     *net.Interface
	zone    uint32 // of Source
}

func (c *linkConfig) ipv6() bool { return c.version == icmp.V6 }

// link carries the messages on systems other than Linux.
type link struct {
	carrier
	id      uint16
	drained netio.Watermark
}

// carrier is a socket of the system, or an API in place of one. errors.Is recognizes its
// errors on every system.
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

// roundTrip returns 0, because these systems do not stamp requests.
func (l *link) roundTrip(uint16, *sys.Inbound) time.Duration { return 0 }

// backlog returns 0, because these systems do not report it.
func (l *link) backlog() float64 { return 0 }

func (l *link) receiveNow(int) (int, error) { return 0, unsupported("receiving without waiting") }

// hasInterface returns true: these systems report a missing interface by themselves.
func (l *link) hasInterface(uint32) bool    { return true }
func (l *link) receiveBuffer() (int, error) { return 0, unsupported("asking for the receive buffer") }
func (l *link) setReceiveBuffer(int) error  { return unsupported("another receive buffer") }

func (l *link) watch(bool) error { return unsupported("receiving without waiting") }

func (l *link) syscallConn() (syscall.RawConn, error) {
	return nil, unsupported("the descriptor (SyscallConn)")
}
