package icmp_test

import (
	"bytes"
	"errors"
	"testing"

	xicmp "golang.org/x/net/icmp"

	"github.com/goicmp/icmplib/icmp"
)

// corpus is one message of every shape.
func corpus() [][]byte {
	quoted4, quoted6 := packet4(1, nil, echo(8)), packet6(58, echo(128))
	return [][]byte{
		echo(0), echo(8), echo(128), echo(129),
		errorMessage(11, 0, [4]byte{}, quoted4),
		errorMessage(3, 4, [4]byte{0, 0, 5, 0x78}, quoted4),
		errorMessage(11, 0, [4]byte{0, 32}, pad(quoted4, 128), extensions(labels())),
		errorMessage(11, 0, [4]byte{}, pad(quoted4, 128), extensions(labels())),
		errorMessage(3, 0, [4]byte{16}, pad(quoted6, 128), extensions(labels(), object(2, 0x3a, 0, 0, 0, 1))),
		errorMessage(2, 0, [4]byte{0, 0, 5, 0}, quoted6),
	}
}

func FuzzMessage(f *testing.F) {
	for _, b := range corpus() {
		f.Add(true, b)
		f.Add(false, b)
	}
	f.Fuzz(func(t *testing.T, v4 bool, b []byte) {
		v := icmp.V6
		if v4 {
			v = icmp.V4
		}
		before := bytes.Clone(b)
		var m icmp.Message
		if err := m.Parse(v, b); err != nil {
			if !errors.Is(err, icmp.ErrMalformed) {
				t.Fatalf("%v is no ErrMalformed", err)
			}
			return
		}
		if !bytes.Equal(b, before) {
			t.Fatal("parsing changed its input")
		}
		if m.Type.IsError() && !bytes.Contains(b, m.Quote.Transport) {
			t.Fatal("the quote is not in the message")
		}
		if !bytes.HasSuffix(m.Quote.Transport, m.Quote.Payload) {
			t.Fatal("the quoted payload does not end the quoted packet")
		}
		m.Extensions.AppendMPLS(nil)
		m.Extensions.AppendInterfaces(nil)
		(&icmp.Reply{Message: m}).Clone()
	})
}

func FuzzQuote(f *testing.F) {
	f.Add(uint8(4), packet4(1, []byte{7, 7, 4, 0, 0, 0, 0, 0}, echo(8)))
	f.Add(uint8(6), packet6(58, echo(128)))
	f.Fuzz(func(t *testing.T, v uint8, b []byte) {
		var q icmp.Quote
		if err := q.Parse(icmp.Version(v), b); err != nil {
			if !errors.Is(err, icmp.ErrMalformed) {
				t.Fatalf("%v is no ErrMalformed", err)
			}
			return
		}
		again := icmp.Quote{FragmentOffset: q.FragmentOffset}
		if err := again.ParseTransport(q.Protocol, q.Transport); err != nil {
			t.Fatalf("what Parse read, ParseTransport does not: %v", err)
		}
		if again.ID != q.ID || again.SourcePort != q.SourcePort || again.Type != q.Type {
			t.Fatalf("%+v and %+v", q, again)
		}
	})
}

func FuzzExtensions(f *testing.F) {
	f.Add(extensions(labels(), object(9, 1, 1, 2, 3, 4)))
	f.Add([]byte{0x20, 0, 0, 0, 0, 3, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var e icmp.Extensions
		if e.Parse(b) != nil {
			return
		}
		length := 4
		for o := range e.Objects() {
			length += 4 + len(o.Payload)
		}
		if length > len(b) {
			t.Fatalf("%d bytes of objects in %d", length, len(b))
		}
	})
}

// FuzzAgainstReference holds the parser against that of golang.org/x/net/icmp:
// what both can read, both read alike.
func FuzzAgainstReference(f *testing.F) {
	for _, b := range corpus() {
		f.Add(true, b)
		f.Add(false, b)
	}
	f.Fuzz(func(t *testing.T, v4 bool, b []byte) {
		v, protocol := icmp.V6, 58
		if v4 {
			v, protocol = icmp.V4, 1
		}
		reference, err := xicmp.ParseMessage(protocol, b)
		var m icmp.Message
		if m.Parse(v, b) != nil || err != nil {
			return // each refuses what the other lets pass: quotes here, objects there
		}
		if int(m.Code) != reference.Code || int(m.Checksum) != reference.Checksum {
			t.Fatalf("code %d and checksum %#x, reference %d and %#x", m.Code, m.Checksum, reference.Code, reference.Checksum)
		}
		switch body := reference.Body.(type) {
		case *xicmp.Echo:
			if int(m.ID) != body.ID || int(m.Sequence) != body.Seq || !bytes.Equal(m.Payload, body.Data) {
				t.Fatalf("%+v, reference %+v", m, body)
			}
		case *xicmp.PacketTooBig:
			if m.MTU != body.MTU {
				t.Fatalf("MTU %d, reference %d", m.MTU, body.MTU)
			}
		case *xicmp.TimeExceeded:
			compareLabels(t, &m, body.Extensions)
		case *xicmp.DstUnreach:
			compareLabels(t, &m, body.Extensions)
		}
	})
}

func compareLabels(t *testing.T, m *icmp.Message, extensions []xicmp.Extension) {
	t.Helper()
	if !m.Extensions.Compliant || !m.Extensions.ChecksumValid {
		return
	}
	var want []icmp.MPLSLabel
	for _, e := range extensions {
		if stack, ok := e.(*xicmp.MPLSLabelStack); ok && stack.Type == 1 {
			for _, l := range stack.Labels {
				want = append(want, icmp.MPLSLabel{Label: uint32(l.Label), TrafficClass: uint8(l.TC), BottomOfStack: l.S, TTL: uint8(l.TTL)})
			}
		}
	}
	if got := m.Extensions.AppendMPLS(nil); len(want) > 0 && len(got) != len(want) {
		t.Fatalf("labels %v, reference %v", got, want)
	}
}
