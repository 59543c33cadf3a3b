package socket

import (
	"errors"
	"github.com/goicmp/icmplib/internal/netio"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/goicmp/icmplib/internal/sys"
)

// packets is a raw socket, and the read deadline that the caller set.
type packets struct {
	net.PacketConn
	buf []byte

	mu     *sync.Mutex
	wanted *time.Time
}

// openRaw opens a raw socket, which on Windows requires an administrator.
func openRaw(cfg linkConfig, drained *netio.Watermark) (carrier, error) {
	switch {
	case cfg.Interface != "":
		return nil, unsupported("binding to an interface (Interface)")
	case cfg.DontFragment:
		return nil, unsupported("setting the don't-fragment flag of a raw socket (DontFragment)")
	}
	network := "ip4:icmp"
	if cfg.ipv6() {
		network = "ip6:ipv6-icmp"
	}
	conn, err := net.ListenPacket(network, cfg.local().String())
	if err != nil {
		return nil, err
	}
	p := packets{conn, make([]byte, sys.MaxDatagram), &sync.Mutex{}, &time.Time{}}
	return newPacketLink(p, cfg, drained), nil
}

// readPacket waits for a datagram and reads it. At the read deadline, package net gives up
// without a look at the queue, so readPacket reads once more with a short deadline.
func (l *packetLink) readPacket() error {
	err := l.readOnce()
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	const look = time.Millisecond
	before := time.Now()
	if err := l.conn.SetReadDeadline(before.Add(look)); err != nil {
		return err
	}
	err = l.readOnce()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		l.drained.Advance(before)
	}
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	return errors.Join(err, l.conn.SetReadDeadline(*l.conn.wanted))
}

func (l *packetLink) readOnce() error {
	var n int
	var from net.Addr
	var err error
	if l.p4 != nil {
		n, _, from, err = l.p4.ReadFrom(l.conn.buf)
	} else {
		n, _, from, err = l.p6.ReadFrom(l.conn.buf)
	}
	if err != nil {
		return err
	}
	l.in.Data, l.in.Size, l.in.Read = l.conn.buf[:n], n, time.Now()
	if from, ok := from.(*net.IPAddr); ok {
		addr, _ := netip.AddrFromSlice(from.IP)
		if l.p4 != nil {
			addr = addr.Unmap()
		}
		l.in.From = addr
		l.in.Zone, _ = l.zones.Index(from.Zone)
	}
	return nil
}

func (l *packetLink) setReadDeadline(t time.Time) error {
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	*l.conn.wanted = t
	return l.conn.SetReadDeadline(t)
}

func (l *packetLink) setBroadcast(bool) error { return unsupported("broadcast (SetBroadcast)") }
