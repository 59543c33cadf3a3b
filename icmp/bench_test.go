package icmp_test

import (
	"testing"

	"github.com/goicmp/icmplib/icmp"
)

func BenchmarkParseEchoReply(b *testing.B) {
	message := append(echo(0), make([]byte, 52)...)
	benchmarkParse(b, message)
}

func BenchmarkParseTimeExceeded(b *testing.B) {
	benchmarkParse(b, errorMessage(11, 0, [4]byte{}, packet4(1, nil, echo(8))))
}

func BenchmarkParseTimeExceededWithLabels(b *testing.B) {
	benchmarkParse(b, errorMessage(11, 0, [4]byte{0, 32}, pad(packet4(1, nil, echo(8)), 128), extensions(labels())))
}

func benchmarkParse(b *testing.B, message []byte) {
	b.ReportAllocs()
	var m icmp.Message
	for b.Loop() {
		if err := m.Parse(icmp.V4, message); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	b.ReportAllocs()
	req := icmp.Request{Destination: target4, Payload: make([]byte, icmp.DefaultSize)}
	buf := make([]byte, 0, 128)
	for b.Loop() {
		buf, _ = req.Append(buf[:0])
	}
}
