package wire

import (
	"net/netip"
	"testing"
)

// udpVectors are packets and what their headers mean. Their checksums come
// from another implementation.
var udpVectors = []struct {
	name                string
	wire                string
	source, destination netip.Addr
	header              UDP
	payload             []byte
}{
	{
		"over IPv4",
		"829b 829a 000c 7005 deadbeef",
		source4, destination4,
		UDP{SourcePort: 33435, DestinationPort: 33434, Length: 12, Checksum: 0x7005},
		unhex("deadbeef"),
	},
	{
		"over IPv6",
		"829b 829a 000c 00c8 deadbeef",
		source6, destination6,
		UDP{SourcePort: 33435, DestinationPort: 33434, Length: 12, Checksum: 0x00c8},
		unhex("deadbeef"),
	},
	{
		"a payload of odd length",
		"829b 829a 0009 0ea8 ff",
		source4, destination4,
		UDP{SourcePort: 33435, DestinationPort: 33434, Length: 9, Checksum: 0x0ea8},
		unhex("ff"),
	},
	{
		"no payload",
		"0000 ffff 0008 12e1",
		source4, destination4,
		UDP{DestinationPort: 65535, Length: 8, Checksum: 0x12e1},
		nil,
	},
	{
		"a checksum that comes to 0 is sent as all ones (RFC 768)",
		"0000 0000 000a ffff 12dd",
		source4, destination4,
		UDP{Length: 10, Checksum: 0xffff},
		unhex("12dd"),
	},
}

func TestUDPParse(t *testing.T) {
	for _, tt := range udpVectors {
		t.Run(tt.name, func(t *testing.T) {
			var got UDP
			if err := got.Parse(unhex(tt.wire)); err != nil {
				t.Fatal(err)
			}
			if got != tt.header {
				t.Errorf("got  %+v\nwant %+v", got, tt.header)
			}
		})
	}
}

func TestUDPAppendWritesWhatParseReads(t *testing.T) {
	for _, tt := range udpVectors {
		t.Run(tt.name, func(t *testing.T) {
			before := unhex("decade")
			got := tt.header.Append(before, tt.source, tt.destination, tt.payload)
			checkBytes(t, got, append(before, unhex(tt.wire)...))
			if sum := TransportChecksum(tt.source, tt.destination, ProtocolUDP, got[len(before):]); sum != 0 {
				t.Errorf("the checksum is wrong by %#04x", sum)
			}
		})
	}
}

func TestUDPParseTakesWhatAnErrorQuotes(t *testing.T) {
	var h UDP
	if err := h.Parse(unhex("829b 829a 05c8 0000")); err != nil {
		t.Fatal(err)
	}
	if h.Length != 1480 || h.Checksum != 0 {
		t.Errorf("got %+v, want the length as stated, and no checksum", h)
	}
}

func TestUDPParseRefusesATruncatedHeader(t *testing.T) {
	whole := unhex(udpVectors[0].wire)
	for n := range UDPHeaderLen {
		var h UDP
		checkRefused(t, h.Parse(whole[:n]), "UDP header is truncated")
	}
}

func TestUDPDoesNotAllocate(t *testing.T) {
	header := UDP{SourcePort: 1, DestinationPort: 2}
	payload := make([]byte, 64)
	buf := make([]byte, 0, UDPHeaderLen+len(payload))
	packet := header.Append(nil, source6, destination6, payload)
	var h UDP
	t.Run("to parse", func(t *testing.T) { checkNoAllocs(t, func() { _ = h.Parse(packet) }) })
	t.Run("to refuse", func(t *testing.T) { checkNoAllocs(t, func() { _ = h.Parse(packet[:7]) }) })
	t.Run("to append where there is room", func(t *testing.T) {
		checkNoAllocs(t, func() { header.Append(buf, source6, destination6, payload) })
	})
}

func FuzzUDP(f *testing.F) {
	for _, tt := range udpVectors {
		f.Add(unhex(tt.wire))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var h UDP
		if err := h.Parse(b); err != nil {
			checkRefused(t, err, "")
			return
		}
		payload := b[UDPHeaderLen:]
		var again UDP
		packet := h.Append(nil, source6, destination6, payload)
		if err := again.Parse(packet); err != nil {
			t.Fatal(err)
		}
		h.Length, h.Checksum = UDPHeaderLen+len(payload), again.Checksum
		if again != h {
			t.Errorf("after a round trip\ngot  %+v\nwant %+v", again, h)
		}
		if again.Checksum == 0 || TransportChecksum(source6, destination6, ProtocolUDP, packet) != 0 {
			t.Errorf("the packet has the wrong checksum %#04x", again.Checksum)
		}
	})
}

func BenchmarkUDPParse(b *testing.B) {
	packet := unhex(udpVectors[0].wire)
	var h UDP
	b.ReportAllocs()
	for b.Loop() {
		_ = h.Parse(packet)
	}
}

func BenchmarkUDPAppend(b *testing.B) {
	payload := make([]byte, 64)
	buf := make([]byte, 0, UDPHeaderLen+len(payload))
	var h UDP
	b.ReportAllocs()
	for b.Loop() {
		h.Append(buf, source4, destination4, payload)
	}
}
