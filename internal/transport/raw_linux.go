package transport

import (
	"errors"
	"github.com/goicmp/icmplib/internal/netio"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
)

// rawLink sends by a raw socket of the protocol, which also receives the direct
// answers, and receives ICMP errors by a raw ICMP socket.
type rawLink struct {
	group
	cfg   linkConfig
	batch batch
	first uint16
	held  []*sys.Socket // sockets that hold the source ports
}

// The keys of the sockets.
const (
	keyProtocol = iota
	keyErrors
)

func openRaw(cfg linkConfig) (link, error) {
	l := &rawLink{cfg: cfg}
	if err := l.look.init(l.scanAll); err != nil {
		return nil, err
	}
	if err := l.open(); err != nil {
		_ = l.close()
		return nil, err
	}
	return l, nil
}

func (l *rawLink) open() error {
	// The sockets that need the privilege come first, so that nothing happens without it.
	errorSocket := func(key uint64) (*sys.Socket, error) { return l.poller.OpenRawICMP(l.cfg.ipv6(), key) }
	protocolSocket := func(key uint64) (*sys.Socket, error) {
		return l.poller.OpenRaw(l.cfg.ipv6(), uint8(l.cfg.Protocol), key)
	}
	for _, open := range []func(uint64) (*sys.Socket, error){protocolSocket, errorSocket} {
		s, err := open(uint64(len(l.socks)))
		if err != nil {
			return err
		}
		l.socks = append(l.socks, s)
	}
	if err := l.claim(); err != nil {
		return err
	}
	if err := l.filter(); err != nil {
		return err
	}
	for _, s := range l.socks {
		if err := l.cfg.configure(s, true); err != nil {
			return err
		}
		if l.cfg.Source.IsValid() {
			if err := s.Bind(l.cfg.local(), l.cfg.zone, 0); err != nil {
				return err
			}
		}
	}
	l.batch.first = l.first
	return l.batch.open(&l.cfg)
}

// claim takes the source ports.
func (l *rawLink) claim() (err error) {
	holds := holdable(l.cfg.Protocol)
	take := func(_ int, port uint16) error {
		if !holds {
			return nil
		}
		s, err := hold(&l.cfg, port)
		if err == nil {
			l.held = append(l.held, s)
		}
		return err
	}
	l.first, err = claimPorts(&l.cfg, take, l.release)
	return err
}

func (l *rawLink) release() {
	for _, s := range l.held {
		_ = s.Close()
	}
	l.held = l.held[:0]
}

// filter makes the kernel drop packets that are not about our ports.
func (l *rawLink) filter() error {
	c, icmpSocket := &l.cfg, l.socks[keyErrors]
	if err := l.socks[keyProtocol].AttachFilter(segmentFilter(c.Version, c.Protocol, l.first, c.Ports)); err != nil {
		return err
	}
	if c.ipv6() {
		return errors.Join(icmpSocket.PassTypes6(errorTypes6...), icmpSocket.AttachFilter(errorFilter6(c.Protocol, l.first, c.Ports)))
	}
	return errors.Join(icmpSocket.PassTypes4(errorTypes4...), icmpSocket.AttachFilter(errorFilter4(c.Protocol, l.first, c.Ports)))
}

func (l *rawLink) send(probes []Probe) (int, error) {
	n, buildErr := l.batch.build(probes)
	sent, err := l.batch.flush(l.socks[keyProtocol], probes, 0, n)
	if err == nil && sent == n {
		err = buildErr
	}
	return sent, err
}

func (l *rawLink) receive(limit int) (int, error) { return l.look.receive(limit) }

func (l *rawLink) arrival(i int, a *Arrival) verdict {
	l.datagram(i, &l.in)
	netio.Describe(&a.Reply, &l.in, l.cfg.zones)
	data := l.in.Data
	if l.cfg.Version == icmp.V4 {
		if data = netio.StripIPv4(&a.Reply, data); data == nil {
			return malformed
		}
	}
	if l.origin[i] == keyErrors {
		return parseError(a, l.cfg.Version, data, l.first, l.cfg.Ports)
	}
	return parseSegment(a, data)
}

func (l *rawLink) ports() (uint16, int) { return l.first, l.cfg.Ports }

func (l *rawLink) close() error {
	if err := l.group.close(); err != nil {
		return err
	}
	l.release()
	l.batch.routes.close()
	return nil
}
