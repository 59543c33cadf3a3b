//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"errors"
	"github.com/goicmp/icmplib/internal/netio"
	"net/netip"
	"os"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/goicmp/icmplib/internal/sys"
)

// packets is a socket, and the last time at which its queue was empty.
type packets struct {
	*sys.PacketConn
	empty netio.ClockReading
}

func openCarrier(cfg linkConfig, drained *netio.Watermark) (carrier, error) {
	empty := netio.ReadClock()
	conn, err := sys.ListenPackets(cfg.ipv6(), cfg.mode == Raw, cfg.local())
	if err != nil {
		return nil, err
	}
	if err := configurePackets(conn, cfg); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return newPacketLink(packets{conn, empty}, cfg, drained), nil
}

// configurePackets sets the options of the system. A socket also works without stamps
// and with a smaller buffer.
func configurePackets(conn *sys.PacketConn, cfg linkConfig) error {
	size := cfg.ReceiveBuffer
	if size == 0 {
		size = defaultReceiveBuffer
	}
	_ = conn.SetReceiveBuffer(size)
	_ = conn.StampReceives()
	if cfg.DontFragment {
		if err := conn.DontFragment(); err != nil {
			return err
		}
	}
	if cfg.ifi == nil {
		return nil
	}
	return conn.BindInterface(cfg.ifi.Index)
}

// readPacket waits for a datagram and reads it.
func (l *packetLink) readPacket() error {
	control, err := l.conn.Receive(&l.in)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		l.conn.empty = netio.ClockReading{Mono: l.in.Read, Wall: l.in.Read.UnixNano()}
		l.drained.Advance(l.in.Read)
	}
	if err != nil {
		return err
	}
	now := netio.ReadClock()
	l.in.Read = now.Mono
	l.in.Queued, l.in.Stamped = netio.QueueDelay(now, l.in.Stamp, l.conn.empty)
	if l.p4 != nil {
		var cm ipv4.ControlMessage
		if cm.Parse(control) == nil {
			l.note4(&cm)
		}
		return nil
	}
	var cm ipv6.ControlMessage
	if cm.Parse(control) == nil {
		l.note6(&cm)
	}
	return nil
}

// note4 and note6 record the control messages of a datagram.
func (l *packetLink) note4(cm *ipv4.ControlMessage) {
	l.in.TTL, l.in.InterfaceIndex = cm.TTL, cm.IfIndex
	l.in.To, _ = netip.AddrFromSlice(cm.Dst.To4())
}

func (l *packetLink) note6(cm *ipv6.ControlMessage) {
	l.in.TTL, l.in.TrafficClass, l.in.InterfaceIndex = cm.HopLimit, uint8(cm.TrafficClass), cm.IfIndex
	l.in.To, _ = netip.AddrFromSlice(cm.Dst)
}

func (l *packetLink) setReadDeadline(t time.Time) error { return l.conn.SetReadDeadline(t) }

func (l *packetLink) setBroadcast(on bool) error { return l.conn.SetBroadcast(on) }
