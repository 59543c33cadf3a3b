package socket

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
)

// Datagram sockets of macOS deliver the IPv4 header with some messages, and its length
// in the order of the host, without the header.
func TestAnEchoReplyWithAndWithoutItsIPv4Header(t *testing.T) {
	reply := []byte{0, 0, 0, 0, 0x12, 0x34, 0, 7, 'p', 'i', 'n', 'g'}
	header := func(length ...byte) []byte {
		return []byte{0x45, 0x20, length[0], length[1], 0, 0, 0, 0, 57, 1, 0, 0, 192, 0, 2, 9, 192, 0, 2, 1}
	}
	for _, tt := range []struct {
		name string
		data []byte
		ttl  int
	}{
		{"without a header", reply, 0},
		{"with a header", append(header(0, 32), reply...), 57},
		{"with a header that states the length of what follows, in the other order", append(header(12, 0), reply...), 57},
		{"with a header that has options", append(append([]byte{0x46}, header(0, 36)[1:]...), append([]byte{1, 1, 1, 0}, reply...)...), 57},
	} {
		c := &conn{version: icmp.V4, mode: Datagram, id: 0x1234}
		r := icmp.Reply{Source: netip.MustParseAddr("192.0.2.9")}
		if !c.decodeMessage(&sys.Inbound{Data: tt.data, Size: len(tt.data)}, &r) {
			t.Errorf("%s: it is not read", tt.name)
			continue
		}
		if r.Kind() != icmp.KindEchoReply || r.ID != 0x1234 || r.Sequence != 7 || !bytes.Equal(r.Payload, []byte("ping")) || r.Size != len(reply) {
			t.Errorf("%s: got %+v", tt.name, r)
		}
		if r.TTL != tt.ttl || r.Source != netip.MustParseAddr("192.0.2.9") {
			t.Errorf("%s: from %v with a TTL of %d, want %d", tt.name, r.Source, r.TTL, tt.ttl)
		}
	}
}
