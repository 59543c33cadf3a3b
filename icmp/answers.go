package icmp

import "net/netip"

// Answers tells whether a reply is about this request: an echo reply from its
// destination, or an error that quotes it, with its id and sequence number.
//
// Where Destination is a multicast or limited broadcast address, any host's
// echo reply answers it. A subnet's broadcast address cannot be told from a
// host's, so replies to one have to be received without a request. The payload
// is not compared: id and sequence tell the requests of one socket apart as
// long as no more than 65,536 are awaited.
func (r *Request) Answers(reply *Reply) bool {
	m := &reply.Message
	if m.Type.Version() != VersionOf(r.Destination) {
		return false
	}
	if m.Type.IsEchoReply() {
		return m.ID == r.ID && m.Sequence == r.Sequence && answersFrom(r.Destination, reply.Source)
	}
	if !m.Type.IsError() || m.Kind() == KindRedirect || m.Kind() == KindSourceQuench {
		return false // advice: the request goes on
	}
	q := &m.Quote
	return q.Type.IsEchoRequest() && q.ID == r.ID && q.Sequence == r.Sequence &&
		(r.Destination.IsUnspecified() || sameAddr(q.Destination, r.Destination))
}

// answersFrom tells whether a request to an address may be answered from source.
func answersFrom(to, source netip.Addr) bool {
	to = to.Unmap()
	switch {
	case to.IsUnspecified():
		return source.IsLoopback() // where the kernel sends what goes to 0.0.0.0 or ::
	case to.IsMulticast() || to == limitedBroadcast:
		return true
	}
	return sameAddr(to, source)
}

// limitedBroadcast is 255.255.255.255 (RFC 919 section 7).
var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// sameAddr compares addresses, and their zones where both have one.
func sameAddr(a, b netip.Addr) bool {
	a, b = a.Unmap(), b.Unmap()
	if a.Zone() == "" || b.Zone() == "" {
		return a.WithZone("") == b.WithZone("")
	}
	return a == b
}
