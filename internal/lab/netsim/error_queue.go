package netsim

import "github.com/goicmp/icmplib/icmp"

// decodeQueued makes an error as Linux's error queue has it: without the IP
// header of the quoted packet, and with the extensions. The quote, which is returned from the upper layer on, keeps the
// padding before them. A redirect's gateway is not told.
func decodeQueued(t []byte, v6 bool, m *icmp.Message) (upper []byte, ok bool) {
	version := icmp.V4
	if v6 {
		version = icmp.V6
	}
	m.Type, m.Code = icmp.MakeType(version, t[0]), t[1]
	word := get32(t[4:])
	switch m.Kind() {
	case icmp.KindPacketTooBig:
		m.MTU = int(word)
		if !v6 {
			m.MTU &= 0xffff
		}
	case icmp.KindParameterProblem:
		m.Pointer = int(word)
		if !v6 {
			m.Pointer >>= 24
		}
	}
	quote := t[icmpHeader:]
	_, upper, ok = quoted(quote, v6)
	if !ok {
		return nil, false
	}
	if size := statedQuote(t, v6); size > 0 && size <= len(quote) {
		if m.Extensions.Parse(quote[size:]) == nil {
			m.Extensions.Compliant = true
		}
		upper = upper[:max(0, len(upper)-(len(quote)-size))]
	} else if rest, found := m.Extensions.ParseOldForm(m.Type, upper, len(quote)-len(upper)); found {
		upper = rest // the kernel does not look there, but who reads the queue does
	}
	return upper, true
}
