package transport

import (
	"github.com/goicmp/icmplib/internal/netio"
	"github.com/goicmp/icmplib/internal/wire"
)

// udpLink sends by ordinary UDP sockets, one for each source port, and reads ICMP errors
// from their error queues.
type udpLink struct {
	group
	cfg   linkConfig
	batch batch
	first uint16
}

func openUDP(cfg linkConfig) (link, error) {
	l := &udpLink{cfg: cfg}
	l.errQueue = true
	if err := l.look.init(l.scanAll); err != nil {
		return nil, err
	}
	if err := l.open(); err != nil {
		_ = l.close()
		return nil, err
	}
	return l, nil
}

func (l *udpLink) open() (err error) {
	release := func() {
		for _, s := range l.socks {
			_ = s.Close()
		}
		l.socks = l.socks[:0]
	}
	if l.first, err = claimPorts(&l.cfg, l.take, release); err != nil {
		return err
	}
	l.batch.first, l.batch.strip = l.first, wire.UDPHeaderLen
	return l.batch.open(&l.cfg)
}

// take opens the socket of a port.
func (l *udpLink) take(i int, port uint16) error {
	s, err := l.poller.OpenUDP(l.cfg.ipv6(), uint64(i))
	if err != nil {
		return err
	}
	l.socks = append(l.socks, s)
	if err := l.cfg.configure(s, false); err != nil {
		return err
	}
	if err := s.QueueErrors(l.cfg.ipv6()); err != nil {
		return err
	}
	return s.Bind(l.cfg.local(), l.cfg.zone, port)
}

// send sends the probes at the start that share a source port.
func (l *udpLink) send(probes []Probe) (int, error) {
	n, buildErr := l.batch.build(probes)
	for i := 0; i < n; {
		last := i + 1
		for last < n && probes[last].SourcePort == probes[i].SourcePort {
			last++
		}
		sent, err := l.batch.flush(l.socks[probes[i].SourcePort-l.first], probes, i, last)
		if i += sent; err != nil || i < last {
			return i, err
		}
	}
	return n, buildErr
}

func (l *udpLink) receive(limit int) (int, error) { return l.look.receive(limit) }

func (l *udpLink) arrival(i int, a *Arrival) verdict {
	l.datagram(i, &l.in)
	netio.Describe(&a.Reply, &l.in, l.cfg.zones)
	port := l.first + l.origin[i]
	if !l.in.Failed {
		a.Segment = Segment{Kind: Datagram, SourcePort: l.in.FromPort, DestinationPort: port, Payload: l.in.Data}
		return keep
	}
	quoted, ok := parseQueued(a, l.cfg.Version, &l.in, l.cfg.zones)
	if !ok {
		return ignore
	}
	// The kernel provides the part of the quote after the UDP header.
	a.Quote.SourcePort, a.Quote.Transport, a.Quote.Payload = port, quoted, quoted
	return keep
}

func (l *udpLink) ports() (uint16, int) { return l.first, l.cfg.Ports }

func (l *udpLink) close() error {
	err := l.group.close()
	l.batch.routes.close()
	return err
}
