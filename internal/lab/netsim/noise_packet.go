package netsim

import (
	"math/rand/v2"
	"net/netip"
)

// unsolicited makes a packet of noise to one of the client's addresses.
func (w *walk) unsolicited(s *noise, random *rand.Rand, to netip.Addr) packet {
	v6 := to.Is6()
	from := s.from(random, v6)
	switch s.Kind {
	case Errors:
		quoted := w.stranger(random, to, s.stranger(random, v6))
		if s.Options {
			quoted.addOptions()
		}
		return w.noiseError(s, random, from, to, quoted.b)
	case Garbage:
		return w.noiseError(s, random, from, to, fill(make([]byte, random.IntN(64)), random))
	case Malformed:
		return w.malformed(s, random, from, to)
	}
	p := w.datagram(from, to, icmpProtocol(v6), icmpHeader+random.IntN(64), &s.node)
	t := fill(p.transport(), random)
	t[0], t[1] = echoReply4, 0
	if v6 {
		t[0] = echoReply6
	}
	p.seal()
	return p
}

func (w *walk) noiseError(s *noise, random *rand.Rand, from, to netip.Addr, quote []byte) packet {
	v6 := to.Is6()
	codes := [][2]Code{timeExceeded, portUnreachable, tooBig, {{3, 1}, {1, 3}}}
	code := codes[random.IntN(len(codes))][version(v6)]
	p := w.datagram(from, to, icmpProtocol(v6), icmpHeader+len(quote), &s.node)
	t := p.transport()
	clear(t[:icmpHeader])
	t[0], t[1] = code.Type, code.Code
	copy(t[icmpHeader:], quote)
	p.seal()
	return p
}

// malformed makes what no sender means to send: bytes at random, some of them
// too few, with a checksum that is mostly wrong.
func (w *walk) malformed(s *noise, random *rand.Rand, from, to netip.Addr) packet {
	p := w.datagram(from, to, icmpProtocol(to.Is6()), random.IntN(48), &s.node)
	fill(p.transport(), random)
	if random.IntN(2) == 0 {
		p.seal()
	}
	return p
}

// stranger makes an echo request that another process may have sent.
func (w *walk) stranger(random *rand.Rand, from, to netip.Addr) packet {
	p := w.datagram(from, to, icmpProtocol(to.Is6()), icmpHeader+8, &node{})
	t := fill(p.transport(), random)
	t[0], t[1] = echoRequest4, 0
	if p.v6 {
		t[0] = echoRequest6
	}
	p.seal()
	return p
}

// from draws who sends noise.
func (s *noise) from(random *rand.Rand, v6 bool) netip.Addr {
	var of []netip.Addr
	for _, a := range s.From {
		if a.Is6() == v6 {
			of = append(of, a)
		}
	}
	if len(of) > 0 {
		return of[random.IntN(len(of))]
	}
	return s.stranger(random, v6)
}

// stranger draws an address of a network for documentation (RFC 5737, RFC 3849).
func (s *noise) stranger(random *rand.Rand, v6 bool) netip.Addr {
	host := byte(1 + random.IntN(254))
	if v6 {
		return netip.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 14: 0xff, 15: host})
	}
	return netip.AddrFrom4([4]byte{203, 0, 113, host})
}

func fill(b []byte, random *rand.Rand) []byte {
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}
