package wire

import (
	"testing"
)

// sctpVectors are packets and what their headers mean. Their checksums come
// from a CRC that is computed bit by bit.
var sctpVectors = []struct {
	name   string
	wire   string
	header SCTP
	chunks []byte
}{
	{
		// RFC 3720 appendix B.4: the CRC32c of 32 zeros is sent as aa 36 91 8a.
		"the 32 zeros of RFC 3720",
		"0000 0000 00000000 aa36918a" + "0000000000000000000000000000000000000000",
		SCTP{Checksum: 0x8a9136aa},
		make([]byte, 20),
	},
	{
		"an INIT, whose verification tag is 0",
		"829b 0050 00000000 995cc480 01 00 0014 a1a2a3a4 00010000 000a 0800 01020304",
		SCTP{SourcePort: 33435, DestinationPort: 80, Checksum: 0x80c45c99},
		AppendInit(nil, &Init{0xa1a2a3a4, 65536, 10, 2048, 0x01020304, nil}),
	},
	{
		"an INIT with a parameter of odd length",
		"829b 0050 00000000 54d6b490 01 00 0019 a1a2a3a4 00010000 000a 0800 01020304 8008 0005 c1 000000",
		SCTP{SourcePort: 33435, DestinationPort: 80, Checksum: 0x90b4d654},
		AppendInit(nil, &Init{0xa1a2a3a4, 65536, 10, 2048, 0x01020304, unhex("80080005c1")}),
	},
	{
		"an INIT ACK with a state cookie",
		"0050 829b a1a2a3a4 0266090c 02 00 001c b1b2b3b4 0001f400 0a00 000a 05060708 0007 0008 c00c1e00",
		SCTP{SourcePort: 80, DestinationPort: 33435, VerificationTag: 0xa1a2a3a4, Checksum: 0x0c096602},
		AppendInitAck(nil, &Init{0xb1b2b3b4, 128000, 2560, 10, 0x05060708, unhex("00070008c00c1e00")}),
	},
	{
		"an ABORT that reflects the tag",
		"0050 829b a1a2a3a4 1de88bff 06 01 0004",
		SCTP{SourcePort: 80, DestinationPort: 33435, VerificationTag: 0xa1a2a3a4, Checksum: 0xff8be81d},
		AppendAbort(nil, true),
	},
}

func TestSCTPParse(t *testing.T) {
	for _, tt := range sctpVectors {
		t.Run(tt.name, func(t *testing.T) {
			b := unhex(tt.wire)
			var got SCTP
			if err := got.Parse(b); err != nil {
				t.Fatal(err)
			}
			if got != tt.header {
				t.Errorf("got  %+v\nwant %+v", got, tt.header)
			}
			if sum := SCTPChecksum(b); sum != got.Checksum {
				t.Errorf("SCTPChecksum = %#08x, the packet has %#08x", sum, got.Checksum)
			}
		})
	}
}

func TestSCTPAppendWritesWhatParseReads(t *testing.T) {
	for _, tt := range sctpVectors {
		t.Run(tt.name, func(t *testing.T) {
			before := unhex("decade")
			checkBytes(t, tt.header.Append(before, tt.chunks), append(before, unhex(tt.wire)...))
		})
	}
}

func TestSCTPChecksumIsCRC32c(t *testing.T) {
	ones := make([]byte, 32)
	for i := range ones {
		ones[i] = 0xff
	}
	for _, tt := range []struct {
		name string
		b    []byte
		want uint32
	}{
		{"of nothing is 0", nil, 0},
		{"of what has no room for a checksum takes every byte", []byte("123456789"), 0xe3069283},
		{"of a packet takes the field for zero", append(make([]byte, 8), append(unhex("ffffffff"), make([]byte, 20)...)...), 0x8a9136aa},
		{"of ones is another than RFC 3720's, whose field is not zero", ones, crcBitByBit(unhex(
			"ffffffffffffffff 00000000 ffffffffffffffffffffffffffffffffffffffff"))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := SCTPChecksum(tt.b); got != tt.want {
				t.Errorf("SCTPChecksum = %#08x, want %#08x", got, tt.want)
			}
		})
	}
}

// crcBitByBit is RFC 9260 appendix A as a shift register: the reference.
func crcBitByBit(b []byte) uint32 {
	const reflected = 0x82f63b78
	crc := ^uint32(0)
	for _, c := range b {
		crc ^= uint32(c)
		for range 8 {
			lowest := crc & 1
			crc >>= 1
			crc ^= lowest * reflected
		}
	}
	return ^crc
}

func TestSCTPParseRefusesATruncatedHeader(t *testing.T) {
	whole := unhex(sctpVectors[1].wire)
	for n := range SCTPHeaderLen {
		var h SCTP
		checkRefused(t, h.Parse(whole[:n]), "SCTP header is truncated")
	}
}

// A header that nothing follows, and a chunk without parameters, are whole.
func TestTheShortestPartsOfSCTPAreRead(t *testing.T) {
	b := (&SCTP{SourcePort: 1, DestinationPort: 2, VerificationTag: 3}).Append(nil, nil)
	var h SCTP
	if err := h.Parse(b); err != nil || h.VerificationTag != 3 || h.Checksum != SCTPChecksum(b) {
		t.Errorf("%+v, %v", h, err)
	}
	var c Init
	if err := c.Parse(make([]byte, initLen)); err != nil || len(c.Parameters) != 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestSCTPParseQuoted(t *testing.T) {
	whole := unhex(sctpVectors[3].wire)
	full := sctpVectors[3].header
	part := full
	part.Checksum = 0
	for _, tt := range []struct {
		name     string
		from, to int // how many bytes are quoted
		want     SCTP
	}{
		{"ports and verification tag are in the first 8 bytes", 8, 11, part},
		{"the checksum is in the first 12", 12, 16, full},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for n := tt.from; n <= tt.to; n++ {
				got := SCTP{Checksum: 0xdead}
				if err := got.ParseQuoted(whole[:n]); err != nil {
					t.Fatal(err)
				}
				if got != tt.want {
					t.Errorf("of %d bytes: got %+v, want %+v", n, got, tt.want)
				}
			}
		})
	}
	t.Run("less than 8 bytes are refused", func(t *testing.T) {
		var h SCTP
		checkRefused(t, h.ParseQuoted(whole[:7]), "SCTP header is truncated")
	})
}

func TestSCTPDoesNotAllocate(t *testing.T) {
	header := SCTP{SourcePort: 1, DestinationPort: 2}
	init := Init{InitiateTag: 3, Parameters: unhex("80080005c1")}
	packet := header.Append(nil, AppendInit(nil, &init))
	buf, chunks := make([]byte, 0, len(packet)), make([]byte, 0, len(packet))
	var h SCTP
	var c Chunk
	var i Init
	t.Run("to parse", func(t *testing.T) {
		checkNoAllocs(t, func() {
			_ = h.Parse(packet)
			_, _ = c.Parse(packet[SCTPHeaderLen:])
			_ = i.Parse(c.Value)
		})
	})
	t.Run("to refuse", func(t *testing.T) {
		checkNoAllocs(t, func() {
			_ = h.Parse(packet[:11])
			_, _ = c.Parse(packet[:3])
			_ = i.Parse(packet[:15])
		})
	})
	t.Run("to append where there is room", func(t *testing.T) {
		checkNoAllocs(t, func() {
			header.Append(buf, AppendInit(chunks, &init))
			AppendAbort(chunks, true)
		})
	})
	t.Run("to compute a checksum", func(t *testing.T) { checkNoAllocs(t, func() { SCTPChecksum(packet) }) })
}

func FuzzSCTP(f *testing.F) {
	for _, tt := range sctpVectors {
		f.Add(unhex(tt.wire))
	}
	f.Add(unhex("829b 0050 00000000 00000000 01 00 ffff"))
	f.Add(unhex("829b 0050 00000000 00000000 01 00 0000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h SCTP
		if err := h.Parse(b); err != nil {
			checkRefused(t, err, "")
			return
		}
		packet := h.Append(nil, b[SCTPHeaderLen:])
		if got, want := SCTPChecksum(b), SCTPChecksum(packet); got != want {
			t.Errorf("the checksum hangs on the checksum field: %#08x, %#08x", got, want)
		}
		var again SCTP
		if err := again.Parse(packet); err != nil {
			t.Fatal(err)
		}
		h.Checksum = SCTPChecksum(packet)
		if again != h {
			t.Errorf("after a round trip\ngot  %+v\nwant %+v", again, h)
		}
		fuzzChunks(t, b[SCTPHeaderLen:])
	})
}

// fuzzChunks walks the chunks of a packet.
func fuzzChunks(t *testing.T, b []byte) {
	t.Helper()
	for len(b) > 0 {
		var c Chunk
		rest, err := c.Parse(b)
		if err != nil {
			checkRefused(t, err, "")
			return
		}
		if used := len(b) - len(rest); used < chunkHeaderLen+len(c.Value) || used > chunkHeaderLen+len(c.Value)+3 {
			t.Fatalf("a chunk with %d bytes of value took %d", len(c.Value), used)
		}
		var i Init
		if err := i.Parse(c.Value); err == nil {
			checkBytes(t, AppendInit(nil, &i)[chunkHeaderLen:][:len(c.Value)], c.Value)
		}
		b = rest
	}
}

func BenchmarkSCTPParse(b *testing.B) {
	packet := unhex(sctpVectors[1].wire)
	var h SCTP
	b.ReportAllocs()
	for b.Loop() {
		_ = h.Parse(packet)
	}
}

func BenchmarkSCTPAppend(b *testing.B) {
	chunks := sctpVectors[1].chunks
	buf := make([]byte, 0, 64)
	var h SCTP
	b.ReportAllocs()
	for b.Loop() {
		h.Append(buf, chunks)
	}
}
