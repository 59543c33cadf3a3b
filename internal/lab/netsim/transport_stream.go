package netsim

import (
	"net/netip"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/internal/transport"
)

// streams are the connections that are being made, one for each TCP probe that
// is sent without privileges.
type streams struct {
	serial uint64
	made   uint64
	open   map[streamKey]stream
}

// streamKey is what the kernel tells connections apart by, beside the client's
// own address.
type streamKey struct {
	to               netip.Addr // without zone
	toPort, fromPort uint16
}

type stream struct {
	identity uint32 // of the probe
	sequence uint32 // of the SYN
	expires  time.Time
}

func keyOf(p *transport.Probe, to netip.Addr) streamKey {
	return streamKey{to.WithZone(""), p.DestinationPort, p.SourcePort}
}

// connect begins a probe's connection, and returns its sequence number.
func (c *TransportConn) connect(p *transport.Probe, to netip.Addr, now time.Time) (uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.streams
	for key, open := range s.open {
		if now.After(open.expires) {
			delete(s.open, key)
		}
	}
	if len(s.open) >= c.opts.Sockets {
		return 0, c.opError("send", to, syscall.EAGAIN)
	}
	if s.open == nil {
		s.open = map[streamKey]stream{}
	}
	timeout := p.Timeout
	if timeout == 0 {
		timeout = transport.DefaultTimeout
	}
	s.made++
	random := mix(s.serial<<32 + s.made)
	key := keyOf(p, to)
	for i := uint64(0); p.SourcePort == 0; i++ {
		key.fromPort = uint16(firstEphemeral + (random>>32+i)%ephemerals)
		if _, taken := s.open[key]; !taken {
			p.SourcePort = key.fromPort
		}
	}
	if _, taken := s.open[key]; taken {
		return 0, c.opError("send", to, syscall.EADDRNOTAVAIL)
	}
	s.open[key] = stream{p.Identity, uint32(random), now.Add(timeout)}
	return uint32(random), nil
}

// disconnect ends a connection whose SYN was not sent.
func (c *TransportConn) disconnect(p *transport.Probe, to netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.streams.open, keyOf(p, to))
}

// end ends the connection that an arrival is about, if it is still being made
// and the sequence number that is quoted or answered is its own.
func (c *TransportConn) end(key streamKey, sequence uint32, at time.Time) (identity uint32, ok bool) {
	s, ok := c.streams.open[key]
	if !ok || s.sequence != sequence || at.After(s.expires) {
		return 0, false
	}
	delete(c.streams.open, key)
	return s.identity, true
}
