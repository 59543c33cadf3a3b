package icmp_test

import (
	"slices"
	"testing"

	"github.com/goicmp/icmplib/icmp"
)

func TestExtensionsAreFoundWhereRFC4884PutsThem(t *testing.T) {
	quoted4, quoted6 := pad(packet4(1, nil, echo(8)), 128), pad(packet6(58, echo(128)), 128)
	structure := extensions(labels())
	tests := []struct {
		name      string
		version   icmp.Version
		bytes     []byte
		found     bool
		compliant bool
	}{
		{"IPv4, length in 32-bit words", icmp.V4, errorMessage(11, 0, [4]byte{0, 32}, quoted4, structure), true, true},
		{"IPv6, length in 64-bit words", icmp.V6, errorMessage(3, 0, [4]byte{16}, quoted6, structure), true, true},
		{"destination unreachable", icmp.V4, errorMessage(3, 1, [4]byte{0, 32}, quoted4, structure), true, true},
		{"parameter problem", icmp.V4, errorMessage(12, 0, [4]byte{20, 32}, quoted4, structure), true, true},
		{"a longer quote", icmp.V4, errorMessage(11, 0, [4]byte{0, 40}, pad(quoted4, 160), structure), true, true},
		{"the old form at the 128th byte", icmp.V4, errorMessage(11, 0, [4]byte{}, quoted4, structure), true, false},
		{"the old form of IPv6", icmp.V6, errorMessage(3, 0, [4]byte{}, quoted6, structure), true, false},
		{"fewer than 128 bytes and no length", icmp.V4, errorMessage(11, 0, [4]byte{}, quoted4[:100], structure), false, false},
		{"no extensions behind the announced length", icmp.V4, errorMessage(11, 0, [4]byte{0, 32}, quoted4), false, false},
		{"a length beyond the message", icmp.V4, errorMessage(11, 0, [4]byte{0, 255}, quoted4, structure), false, false},
		{"a length that is shorter than any quote, and the old form", icmp.V4, errorMessage(11, 0, [4]byte{0, 5}, quoted4, structure), true, false},
		{"the shortest that is none", icmp.V4, errorMessage(11, 0, [4]byte{0, 6}, quoted4, structure), true, false},
		{"a length of 1, and no extensions", icmp.V4, errorMessage(11, 0, [4]byte{0, 1}, quoted4), false, false},
		{"the same of IPv6", icmp.V6, errorMessage(3, 0, [4]byte{1}, quoted6), false, false},
		{"a length without the 8 bytes behind the header of IPv6", icmp.V6, errorMessage(3, 0, [4]byte{5}, quoted6, structure), true, false},
		{"redirects have none", icmp.V4, errorMessage(5, 0, [4]byte{192, 0, 2, 9}, quoted4, structure), false, false},
		{"packet too big has none", icmp.V6, errorMessage(2, 0, [4]byte{}, quoted6, structure), false, false},
		{"another version of the structure", icmp.V4, errorMessage(11, 0, [4]byte{0, 32}, quoted4, []byte{0x30, 0, 0, 0}), false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m icmp.Message
			if err := m.Parse(tt.version, tt.bytes); err != nil {
				t.Fatal(err)
			}
			if (m.Extensions.Raw != nil) != tt.found || m.Extensions.Compliant != tt.compliant {
				t.Errorf("found %v, compliant %v; want %v, %v", m.Extensions.Raw != nil, m.Extensions.Compliant, tt.found, tt.compliant)
			}
			if string(m.Quote.Payload) != "ping" {
				t.Errorf("the quote's payload is %q", m.Quote.Payload)
			}
			if got := m.Extensions.AppendMPLS(nil); tt.found != (len(got) == 2) {
				t.Errorf("labels: %v", got)
			}
		})
	}
}

func TestALongQuoteIsNotTakenForTheOldForm(t *testing.T) {
	data := make([]byte, 300) // begins, 128 bytes into the quote, like a structure without checksum
	data[128-28] = 0x20
	message := errorMessage(11, 0, [4]byte{}, packet4(1, nil, append(echo(8)[:8], data...)))
	var m icmp.Message
	if err := m.Parse(icmp.V4, message); err != nil {
		t.Fatal(err)
	}
	if m.Extensions.Raw != nil || len(m.Quote.Payload) != 300 {
		t.Errorf("extensions %x, payload of %d bytes", m.Extensions.Raw, len(m.Quote.Payload))
	}
}

func TestLabelsAreReadInOrder(t *testing.T) {
	var e icmp.Extensions
	if err := e.Parse(extensions(object(2, 0, 1, 2, 3, 4), labels())); err != nil {
		t.Fatal(err)
	}
	want := []icmp.MPLSLabel{
		{Label: 16010, TrafficClass: 3, TTL: 1},
		{Label: 24001, BottomOfStack: true, TTL: 255},
	}
	if got := e.AppendMPLS(nil); !slices.Equal(got, want) {
		t.Errorf("labels %v, want %v", got, want)
	}
	if got, want := want[0].String(), "L=16010,E=3,S=0,T=1"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

func TestUnknownObjectsAreKeptRaw(t *testing.T) {
	var e icmp.Extensions
	if err := e.Parse(extensions(object(247, 9, 1, 2, 3, 4))); err != nil {
		t.Fatal(err)
	}
	for o := range e.Objects() {
		if o.Class != 247 || o.CType != 9 || !slices.Equal(o.Payload, []byte{1, 2, 3, 4}) {
			t.Errorf("%+v", o)
		}
		return
	}
	t.Error("no object")
}

func TestObjectsOfADamagedStructureAreNotGivenOut(t *testing.T) {
	tests := []struct {
		name    string
		bytes   []byte
		objects int
	}{
		{"a valid checksum", extensions(labels()), 1},
		{"no checksum", append([]byte{0x20, 0, 0, 0}, labels()...), 1},
		{"a wrong checksum", append([]byte{0x20, 0, 0xde, 0xad}, labels()...), 0},
		{"a second object that is cut", extensions(labels(), []byte{0, 9, 1, 1}), 1},
		{"a length below the header's", extensions([]byte{0, 3, 1, 1, 0, 0, 0, 0}), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var e icmp.Extensions
			if err := e.Parse(tt.bytes); err != nil {
				t.Fatal(err)
			}
			n := 0
			for range e.Objects() {
				n++
			}
			if n != tt.objects {
				t.Errorf("%d objects, want %d", n, tt.objects)
			}
		})
	}
}

func TestTheOldFormIsFoundBehindACutQuote(t *testing.T) {
	whole := append(pad(packet4(1, nil, echo(8)), 128), extensions(labels())...)
	for _, tt := range []struct {
		name string
		t    icmp.Type
		b    []byte
		cut  int
		want bool
	}{
		{"the whole packet", icmp.V4TimeExceeded, whole, 0, true},
		{"without its header", icmp.V4TimeExceeded, whole[20:], 20, true},
		{"of IPv6", icmp.V6TimeExceeded, whole[48:], 48, true},
		{"at another place", icmp.V4TimeExceeded, whole[20:], 24, false},
		{"shorter than 128 bytes", icmp.V4TimeExceeded, whole[20:120], 20, false},
		{"more cut off than there is", icmp.V4TimeExceeded, whole, 129, false},
		{"of a kind that has none", icmp.V6PacketTooBig, whole[40:], 40, false},
	} {
		var e icmp.Extensions
		quoted, ok := e.ParseOldForm(tt.t, tt.b, tt.cut)
		if ok != tt.want || ok && (len(quoted) != 128-tt.cut || len(e.AppendMPLS(nil)) != 2) || !ok && len(quoted) != len(tt.b) {
			t.Errorf("%s: %v, %d bytes quoted, %v", tt.name, ok, len(quoted), e.AppendMPLS(nil))
		}
	}
}
