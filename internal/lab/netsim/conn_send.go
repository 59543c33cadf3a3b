package netsim

import (
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/wire"
)

// SendBatch sends echo requests in order, and sets ID and Time in each. It
// returns how many were sent and, if not all, why the next one was not.
func (c *Conn) SendBatch(reqs []icmp.Request) (int, error) {
	for i := range reqs {
		if err := c.send(&reqs[i]); err != nil {
			return i, err
		}
	}
	return len(reqs), nil
}

func (c *Conn) send(req *icmp.Request) error {
	req.ID = c.id
	to := req.Destination.Unmap()
	if !to.IsValid() || to.Is4() != (c.version == icmp.V4) {
		return &icmp.FieldError{Field: "Destination", Value: req.Destination, Allowed: "an " + c.version.String() + " address"}
	}
	now := time.Now()
	h := header{to: to, protocol: icmp.ICMP, ttl: req.TTL, class: req.TrafficClass, dontFragment: c.opts.DontFragment}
	if to.Is6() {
		h.protocol = icmp.ICMPv6
	}
	return c.emit(now, &h, func(b []byte) ([]byte, error) {
		start := len(b)
		b, err := req.Append(b)
		if err == nil && to.Is6() {
			sealICMPv6(b[start:], c.local, to)
		}
		req.Time = now
		return b, err
	})
}

// sealICMPv6 sets the checksum of a message, as the kernel does.
func sealICMPv6(message []byte, source, destination netip.Addr) {
	put16(message[2:], 0)
	put16(message[2:], wire.TransportChecksum(source, destination.WithZone(""), wire.ProtocolICMPv6, message))
}
