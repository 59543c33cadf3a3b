package wire

import (
	"bytes"
	"net/netip"
	"reflect"
	"testing"
)

// tcpVectors are packets and what their headers mean. Their checksums come
// from another implementation.
var tcpVectors = []struct {
	name                string
	wire                string
	source, destination netip.Addr
	header              TCP
	payload             []byte
}{
	{
		"a SYN over IPv4",
		"829b 0050 01020304 00000000 50 02 ffff 3bf4 0000",
		source4, destination4,
		TCP{SourcePort: 33435, DestinationPort: 80, Sequence: 0x01020304, HeaderLen: 20, Flags: TCPFlagSYN, Window: 65535, Checksum: 0x3bf4},
		nil,
	},
	{
		"a SYN over IPv6",
		"829b 0050 01020304 00000000 50 02 ffff ccb6 0000",
		source6, destination6,
		TCP{SourcePort: 33435, DestinationPort: 80, Sequence: 0x01020304, HeaderLen: 20, Flags: TCPFlagSYN, Window: 65535, Checksum: 0xccb6},
		nil,
	},
	{
		"a SYN-ACK with a maximum segment size",
		"0050 829b a0b0c0d0 01020305 60 12 7210 5095 0000 020405b4",
		source4, destination4,
		TCP{
			SourcePort: 80, DestinationPort: 33435, Sequence: 0xa0b0c0d0, Acknowledgment: 0x01020305, HeaderLen: 24,
			Flags: TCPFlagSYN | TCPFlagACK, Window: 0x7210, Checksum: 0x5095, Options: unhex("020405b4"),
		},
		nil,
	},
	{
		"urgent data of odd length",
		"0050 829b 00000001 00000002 50 39 0400 6851 0007 6f6464",
		source4, destination4,
		TCP{
			SourcePort: 80, DestinationPort: 33435, Sequence: 1, Acknowledgment: 2, HeaderLen: 20,
			Flags:  TCPFlagFIN | TCPFlagPSH | TCPFlagACK | TCPFlagURG,
			Window: 1024, Checksum: 0x6851, UrgentPointer: 7,
		},
		[]byte("odd"),
	},
}

func TestTCPParse(t *testing.T) {
	for _, tt := range tcpVectors {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.header
			if want.Options == nil {
				want.Options = []byte{}
			}
			var got TCP
			if err := got.Parse(unhex(tt.wire)); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestTCPAppendWritesWhatParseReads(t *testing.T) {
	for _, tt := range tcpVectors {
		t.Run(tt.name, func(t *testing.T) {
			before := unhex("decade")
			got := tt.header.Append(before, tt.source, tt.destination, tt.payload)
			checkBytes(t, got, append(before, unhex(tt.wire)...))
			if sum := TransportChecksum(tt.source, tt.destination, ProtocolTCP, got[len(before):]); sum != 0 {
				t.Errorf("the checksum is wrong by %#04x", sum)
			}
		})
	}
}

func TestTCPFlagsHaveTheirBits(t *testing.T) {
	for bit, flag := range []uint8{
		TCPFlagFIN, TCPFlagSYN, TCPFlagRST, TCPFlagPSH, TCPFlagACK, TCPFlagURG, TCPFlagECE, TCPFlagCWR,
	} {
		if flag != 1<<bit {
			t.Errorf("flag %d of RFC 9293 section 3.1 is %#02x", bit, flag)
		}
	}
}

func TestTCPAppendMakesOptionsFit(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options []byte
		want    []byte
	}{
		{"none stay none", nil, nil},
		{"a window scale of 3 bytes is filled up with End of Option List", unhex("030307"), unhex("03030700")},
		{"40 bytes are as many as there is room for", bytes.Repeat([]byte{1}, 40), bytes.Repeat([]byte{1}, 40)},
		{"more than 40 bytes are cut", bytes.Repeat([]byte{1}, 41), bytes.Repeat([]byte{1}, 40)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := TCP{Options: tt.options}
			packet := h.Append(nil, source4, destination4, []byte("payload"))
			var got TCP
			if err := got.Parse(packet); err != nil {
				t.Fatal(err)
			}
			checkBytes(t, got.Options, tt.want)
			checkBytes(t, packet[got.HeaderLen:], []byte("payload"))
		})
	}
}

func TestTCPParseRefuses(t *testing.T) {
	whole := unhex(tcpVectors[2].wire)
	offset := func(first byte) []byte {
		b := bytes.Clone(whole)
		b[12] = first
		return b
	}
	for _, tt := range []struct {
		name   string
		b      []byte
		reason string
	}{
		{"nothing at all", nil, "header is truncated"},
		{"what an error quotes at the least", whole[:8], "header is truncated"},
		{"a header short by one byte", whole[:19], "header is truncated"},
		{"a data offset of 16 bytes", offset(0x40), "data offset is below 20"},
		{"options short by one byte", whole[:23], "options are truncated"},
		{"a data offset behind the packet", offset(0xf0), "options are truncated"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h TCP
			checkRefused(t, h.Parse(tt.b), tt.reason)
		})
	}
}

func TestTCPParseQuotedReadsEachFieldThatIsThereWhole(t *testing.T) {
	whole := unhex(tcpVectors[3].wire)
	header := tcpVectors[3].header
	start := TCP{SourcePort: 80, DestinationPort: 33435, Sequence: 1, HeaderLen: 20}
	acknowledged := start
	acknowledged.Acknowledgment = header.Acknowledgment
	flagged := acknowledged
	flagged.Flags = header.Flags
	windowed := flagged
	windowed.Window = header.Window
	summed := windowed
	summed.Checksum = header.Checksum
	for _, tt := range []struct {
		name     string
		from, to int // how many bytes are quoted
		want     TCP
	}{
		{"ports and sequence number", 8, 11, start},
		{"the acknowledgment number", 12, 13, acknowledged},
		{"data offset and flags", 14, 15, flagged},
		{"the window", 16, 17, windowed},
		{"the checksum", 18, 19, summed},
		{"the urgent pointer", 20, 23, header},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for n := tt.from; n <= tt.to; n++ {
				got := TCP{Options: []byte("of the packet before")}
				if err := got.ParseQuoted(whole[:n]); err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, tt.want) {
					t.Errorf("of %d bytes\ngot  %+v\nwant %+v", n, got, tt.want)
				}
			}
		})
	}
}

func TestTCPParseQuotedRefusesLessThanEveryErrorQuotes(t *testing.T) {
	var h TCP
	checkRefused(t, h.ParseQuoted(unhex(tcpVectors[0].wire)[:7]), "header is truncated")
}

func TestTCPDoesNotAllocate(t *testing.T) {
	header := TCP{Flags: TCPFlagSYN, Options: unhex("020405b4")}
	buf := make([]byte, 0, TCPMaxHeaderLen)
	packet := header.Append(nil, source6, destination6, nil)
	var h TCP
	t.Run("to parse", func(t *testing.T) { checkNoAllocs(t, func() { _ = h.Parse(packet) }) })
	t.Run("to parse a quote", func(t *testing.T) { checkNoAllocs(t, func() { _ = h.ParseQuoted(packet[:8]) }) })
	t.Run("to refuse", func(t *testing.T) { checkNoAllocs(t, func() { _ = h.Parse(packet[:21]) }) })
	t.Run("to append where there is room", func(t *testing.T) {
		checkNoAllocs(t, func() { header.Append(buf, source6, destination6, nil) })
	})
}

func FuzzTCP(f *testing.F) {
	for _, tt := range tcpVectors {
		f.Add(unhex(tt.wire))
	}
	f.Add(unhex(tcpVectors[0].wire)[:13])
	f.Fuzz(func(t *testing.T, b []byte) {
		var quoted TCP
		if err := quoted.ParseQuoted(b); err != nil {
			checkRefused(t, err, "")
		}
		var h TCP
		if err := h.Parse(b); err != nil {
			checkRefused(t, err, "")
			return
		}
		checkTCPRoundTrip(t, &h, &quoted, b[h.HeaderLen:])
	})
}

// checkTCPRoundTrip compares a header with what was quoted of it, and with
// itself after a round trip, in which it gets a checksum of its own.
func checkTCPRoundTrip(t *testing.T, h, quoted *TCP, payload []byte) {
	t.Helper()
	quoted.Options = h.Options
	if !reflect.DeepEqual(h, quoted) {
		t.Errorf("the packet has %+v\nthe quote     %+v", h, quoted)
	}
	packet := h.Append(nil, source6, destination6, payload)
	var again TCP
	if err := again.Parse(packet); err != nil {
		t.Fatal(err)
	}
	want := *h
	want.Checksum = again.Checksum
	if !reflect.DeepEqual(again, want) {
		t.Errorf("after a round trip\ngot  %+v\nwant %+v", again, want)
	}
	checkBytes(t, packet[again.HeaderLen:], payload)
	if TransportChecksum(source6, destination6, ProtocolTCP, packet) != 0 {
		t.Error("the appended packet has a wrong checksum")
	}
}

func BenchmarkTCPParse(b *testing.B) {
	packet := unhex(tcpVectors[2].wire)
	var h TCP
	b.ReportAllocs()
	for b.Loop() {
		_ = h.Parse(packet)
	}
}

func BenchmarkTCPAppend(b *testing.B) {
	h := tcpVectors[2].header
	buf := make([]byte, 0, TCPMaxHeaderLen)
	b.ReportAllocs()
	for b.Loop() {
		h.Append(buf, source4, destination4, nil)
	}
}
