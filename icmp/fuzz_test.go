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
		errorMessage(5, 1, [4]byte{192, 0, 2, 9}, quoted4),
		errorMessage(12, 0, [4]byte{20}, quoted4),
		{42, 0, 0, 0, 0x12, 0x34, 7, 1, 0x20, 0, 0, 0, 0, 12, 3, 1, 'e', 't', 'h', '0', 0, 0, 0, 0},
		{160, 0, 0, 0, 0x12, 0x34, 7, 1, 0x20, 0, 0, 0, 0, 8, 3, 2, 0, 0, 0, 3},
		{13, 0, 0, 0, 0x12, 0x34, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3},
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

// FuzzAppend holds Append against Parse: what was read is written the same, but for
// the quote of an error with extensions, which is padded.
func FuzzAppend(f *testing.F) {
	for _, b := range corpus() {
		f.Add(true, b)
		f.Add(false, b)
	}
	f.Fuzz(func(t *testing.T, v4 bool, b []byte) {
		v := icmp.V6
		if v4 {
			v = icmp.V4
		}
		var m, again icmp.Message
		if m.Parse(v, b) != nil {
			return
		}
		written, err := m.Append([]byte("before"))
		if err != nil {
			if _, ok := errors.AsType[*icmp.FieldError](err); !ok {
				t.Fatalf("%v is no FieldError", err)
			}
			return
		}
		written = written[len("before"):]
		if v4 && icmp.Checksum(written) != 0 {
			t.Fatal("the checksum is wrong")
		}
		if err := again.Parse(v, written); err != nil {
			t.Fatalf("what Append wrote, Parse does not read: %v\n% x", err, written)
		}
		if m.Extensions.Raw == nil && again.Extensions.Raw != nil {
			return // a length that was none hid what looks like extensions
		}
		m.Payload = append(bytes.Clone(m.Payload), make([]byte, max(0, len(again.Payload)-len(m.Payload)))...)
		if again.Type != m.Type || again.Code != m.Code || again.ID != m.ID || again.Sequence != m.Sequence || !bytes.Equal(again.Payload, m.Payload) {
			t.Fatalf("%+v became %+v", m, again)
		}
		if again.MTU != m.MTU || again.Pointer != m.Pointer || again.Gateway != m.Gateway || !bytes.Equal(again.Extensions.Raw, m.Extensions.Raw) {
			t.Fatalf("%+v became %+v", m, again)
		}
		var e icmp.ExtendedEcho
		if e.Parse(&m) == nil && m.Type.HasID() {
			if q, err := e.Request(v); err == nil {
				var read icmp.ExtendedEcho
				if err := read.Parse(q); err != nil || read != e {
					t.Fatalf("%+v became %+v: %v", e, read, err)
				}
			}
		}
		var s icmp.Timestamp
		if s.Parse(&m) == nil {
			var read icmp.Timestamp
			if err := read.Parse(s.Reply()); err != nil || read != s {
				t.Fatalf("%+v became %+v: %v", s, read, err)
			}
		}
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

// FuzzParseOldForm holds what is found behind a quote that was cut against what is
// found behind the whole one.
func FuzzParseOldForm(f *testing.F) {
	whole := append(pad(packet4(1, nil, echo(8)), 128), extensions(labels())...)
	f.Add(uint8(11), true, whole, 0)
	f.Add(uint8(11), true, whole[20:], 20)
	f.Add(uint8(3), false, whole[48:], 48)
	f.Add(uint8(2), false, whole, 129)
	f.Fuzz(func(t *testing.T, number uint8, v4 bool, b []byte, cut int) {
		if cut < 0 {
			return // the missing bytes are counted
		}
		v := icmp.V6
		if v4 {
			v = icmp.V4
		}
		typ, before := icmp.MakeType(v, number), bytes.Clone(b)
		var e icmp.Extensions
		quoted, ok := e.ParseOldForm(typ, b, cut)
		if !bytes.Equal(b, before) {
			t.Fatal("parsing changed its input")
		}
		if !ok {
			if len(quoted) != len(b) {
				t.Fatalf("nothing was found, and %d of %d bytes are quoted", len(quoted), len(b))
			}
			return
		}
		if len(quoted) != 128-cut {
			t.Fatalf("%d bytes are quoted, of which %d are missing", len(quoted), cut)
		}
		e.AppendMPLS(nil)
		e.AppendInterfaces(nil)
		var again icmp.Extensions
		if rest, ok := again.ParseOldForm(typ, append(make([]byte, cut), b...), 0); !ok || len(rest) != 128 {
			t.Fatal("with the missing bytes nothing is found")
		}
	})
}
