package icmp_test

import (
	"bytes"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/icmp"
)

// Each field of a message can be as great as its bits allow; what is greater is refused.
func TestTheGreatestOfEachField(t *testing.T) {
	raw := icmp.Extensions{Raw: extensions(labels())}
	one := uint64(1)
	wide := int(one << 32) // 0 where an int has 32 bits: it holds nothing that is too great
	bytes := func(n int) []byte { return make([]byte, n) }
	for _, tt := range []struct {
		name    string
		m       icmp.Message
		greater icmp.Message
		field   string
	}{
		{"an MTU of IPv4", icmp.Message{Type: icmp.V4DestinationUnreachable, MTU: 1<<16 - 1}, icmp.Message{Type: icmp.V4DestinationUnreachable, MTU: 1 << 16}, "MTU"},
		{"an MTU of IPv6", icmp.Message{Type: icmp.V6PacketTooBig, MTU: wide - 1}, icmp.Message{Type: icmp.V6PacketTooBig, MTU: wide}, "MTU"},
		{"an MTU of none", icmp.Message{Type: icmp.V6PacketTooBig}, icmp.Message{Type: icmp.V6PacketTooBig, MTU: -1}, "MTU"},
		{"a pointer of IPv4", icmp.Message{Type: icmp.V4ParameterProblem, Pointer: 255}, icmp.Message{Type: icmp.V4ParameterProblem, Pointer: 256}, "Pointer"},
		{"a pointer of IPv6", icmp.Message{Type: icmp.V6ParameterProblem, Pointer: wide - 1}, icmp.Message{Type: icmp.V6ParameterProblem, Pointer: wide}, "Pointer"},
		{"a pointer to the first byte", icmp.Message{Type: icmp.V6ParameterProblem}, icmp.Message{Type: icmp.V6ParameterProblem, Pointer: -1}, "Pointer"},
		{"the payload of an echo", icmp.Message{Type: icmp.V4EchoReply, Payload: bytes(icmp.MaxSize)}, icmp.Message{Type: icmp.V4EchoReply, Payload: bytes(icmp.MaxSize + 1)}, "Payload"},
		{"the quote of an error", icmp.Message{Type: icmp.V4TimeExceeded, Payload: bytes(icmp.MaxSize)}, icmp.Message{Type: icmp.V4TimeExceeded, Payload: bytes(icmp.MaxSize + 1)}, "Payload"},
		{"the quote of IPv4 before extensions", icmp.Message{Type: icmp.V4TimeExceeded, Payload: bytes(1020), Extensions: raw},
			icmp.Message{Type: icmp.V4TimeExceeded, Payload: bytes(1021), Extensions: raw}, "Payload"},
		{"the quote of IPv6 before extensions", icmp.Message{Type: icmp.V6TimeExceeded, Payload: bytes(2040), Extensions: raw},
			icmp.Message{Type: icmp.V6TimeExceeded, Payload: bytes(2041), Extensions: raw}, "Payload"},
		{"extensions behind a quote that is padded", icmp.Message{Type: icmp.V4TimeExceeded, Extensions: icmp.Extensions{Raw: bytes(icmp.MaxSize - 128)}},
			icmp.Message{Type: icmp.V4TimeExceeded, Extensions: icmp.Extensions{Raw: bytes(icmp.MaxSize - 127)}}, "Payload"},
	} {
		if wide == 0 && strings.HasSuffix(tt.name, "of IPv6") {
			continue
		}
		b, err := tt.m.Append(nil)
		if err != nil || len(b) > 8+icmp.MaxSize {
			t.Errorf("%s: %d bytes, %v", tt.name, len(b), err)
		}
		_, err = tt.greater.Append(nil)
		if e, ok := errors.AsType[*icmp.FieldError](err); !ok || e.Field != tt.field {
			t.Errorf("%s: one more is no FieldError about %s: %v", tt.name, tt.field, err)
		}
	}
	_, err := (&icmp.Message{Type: icmp.V6TimeExceeded, Payload: bytes(2041), Extensions: raw}).Append(nil)
	if err == nil || !strings.Contains(err.Error(), "2040 bytes") {
		t.Errorf("%v does not say how long a quote may be", err)
	}
	for name, req := range map[string]icmp.Request{
		"a size":                          {Size: icmp.MaxSize},
		"a payload":                       {Payload: bytes(icmp.MaxSize)},
		"a TTL":                           {TTL: 255},
		"a traffic class":                 {TrafficClass: 255},
		"a size that a payload overrides": {Payload: bytes(1), Size: icmp.MaxSize + 1},
		"a size that a message overrides": {Message: &icmp.Message{Type: icmp.V4EchoRequest}, Size: icmp.MaxSize + 1},
	} {
		req.Destination = target4
		if err := req.Validate(); err != nil {
			t.Errorf("the greatest of %s: %v", name, err)
		}
	}
	name := icmp.ExtendedEcho{Local: true, Name: strings.Repeat("x", 255)}
	if _, err := name.Request(icmp.V4); err != nil {
		t.Errorf("the longest name: %v", err)
	}
}

// The length of a quote before extensions is padded to whole units, of 4 bytes in IPv4 and 8
// in IPv6, 128 bytes at the least (RFC 4884 section 4).
func TestTheQuoteBeforeExtensionsIsPadded(t *testing.T) {
	for _, tt := range []struct {
		t            icmp.Type
		quoted       int
		at           int // where the length stands
		units, bytes int
	}{
		{icmp.V4TimeExceeded, 28, 5, 32, 128}, {icmp.V4TimeExceeded, 128, 5, 32, 128}, {icmp.V4TimeExceeded, 129, 5, 33, 132},
		{icmp.V4DestinationUnreachable, 132, 5, 33, 132}, {icmp.V4ParameterProblem, 133, 5, 34, 136},
		{icmp.V6TimeExceeded, 48, 4, 16, 128}, {icmp.V6DestinationUnreachable, 129, 4, 17, 136}, {icmp.V6TimeExceeded, 136, 4, 17, 136},
	} {
		raw := extensions(labels())
		b, err := (&icmp.Message{Type: tt.t, Payload: make([]byte, tt.quoted), Extensions: icmp.Extensions{Raw: raw}}).Append(nil)
		if err != nil || int(b[tt.at]) != tt.units || len(b) != 8+tt.bytes+len(raw) || !bytes.HasSuffix(b, raw) {
			t.Errorf("%v with %d bytes: %d units in %d bytes, %v; want %d", tt.t, tt.quoted, b[tt.at], len(b), err, tt.units)
		}
	}
}

// The shortest that can be read of each.
func TestTheShortestMessagesAreRead(t *testing.T) {
	udp4 := packet4(17, nil, []byte{0x9c, 0x40, 0, 53, 0, 8, 0, 0})
	udp6 := packet6(17, []byte{0x9c, 0x40, 0, 53, 0, 8, 0, 0})
	for _, tt := range []struct {
		name       string
		v          icmp.Version
		b          []byte
		quoted     int // bytes
		extensions int // bytes
		compliant  bool
	}{
		{"of no kind that is known", icmp.V4, []byte{13, 0, 0, 0}, 0, 0, false},
		{"an echo without data", icmp.V6, []byte{129, 0, 0, 0, 0, 0, 0, 0}, 0, 0, false},
		{"a quote that its length cuts to 8 bytes of UDP", icmp.V4, errorMessage(11, 0, [4]byte{0, 7, 0, 0}, udp4, extensions()), 28, 4, true},
		{"the same of IPv6", icmp.V6, errorMessage(3, 0, [4]byte{6, 0, 0, 0}, udp6, extensions()), 48, 4, true},
		{"a length that is too short for a quote", icmp.V4, errorMessage(11, 0, [4]byte{0, 6, 0, 0}, udp4, extensions()), 32, 0, false},
		{"the same of IPv6", icmp.V6, errorMessage(3, 0, [4]byte{5, 0, 0, 0}, udp6, extensions()), 52, 0, false},
		{"another version behind 128 bytes", icmp.V4, errorMessage(11, 0, [4]byte{}, pad(udp4, 128), []byte{0x10, 0, 0xef, 0xff}), 132, 0, false},
		{"a structure there without a checksum", icmp.V4, errorMessage(11, 0, [4]byte{}, pad(udp4, 128), []byte{0x20, 0, 0, 0}), 132, 0, false},
		{"a structure there with a wrong checksum", icmp.V4, errorMessage(11, 0, [4]byte{}, pad(udp4, 128), []byte{0x20, 0, 0xde, 0xad}), 132, 0, false},
		{"no object in the old form", icmp.V4, errorMessage(11, 0, [4]byte{}, pad(udp4, 128), extensions()), 128, 4, false},
		{"a quote of the length that is announced, and nothing else", icmp.V4, errorMessage(11, 0, [4]byte{0, 7, 0, 0}, udp4), 28, 0, false},
	} {
		var m icmp.Message
		if err := m.Parse(tt.v, tt.b); err != nil || len(m.Payload) != tt.quoted || len(m.Extensions.Raw) != tt.extensions || m.Extensions.Compliant != tt.compliant {
			t.Errorf("%s: %d bytes quoted, %d of extensions, compliant: %v, %v", tt.name, len(m.Payload), len(m.Extensions.Raw), m.Extensions.Compliant, err)
		}
	}
}

func TestTheShortestPartsAreRead(t *testing.T) {
	var e icmp.Extensions
	if err := e.Parse(extensions(object(9, 9), object(1, 2))); err != nil {
		t.Fatal(err)
	}
	n := 0
	for range e.Objects() {
		n++
	}
	if n != 2 {
		t.Errorf("%d objects without payload, want 2", n)
	}
	for _, tt := range []struct {
		b    []byte // a structure of the old form without an object
		cut  int
		want int // bytes quoted; below 0: none is found
	}{
		{extensions(), 128, 0}, {append([]byte{1, 2}, extensions()...), 126, 2},
		{[]byte{0x20, 0, 0, 0}, 128, -1}, {[]byte{0x20, 0, 0xde, 0xad}, 128, -1}, {[]byte{0x10, 0, 0xef, 0xff}, 128, -1},
		{extensions()[:3], 128, -1}, {append([]byte{1, 2}, extensions()[:3]...), 126, -1}, {[]byte{1, 2}, 126, -1},
	} {
		quoted, ok := e.ParseOldForm(icmp.V4TimeExceeded, tt.b, tt.cut)
		if ok != (tt.want >= 0) || ok && len(quoted) != tt.want {
			t.Errorf("% x without %d bytes: %d bytes quoted, %v", tt.b, tt.cut, len(quoted), ok)
		}
	}
	for _, tt := range []struct {
		name   string
		object []byte
		want   []icmp.InterfaceInfo
	}{
		{"an index", object(2, 0x08, 0, 0, 0, 7), []icmp.InterfaceInfo{{Index: 7}}},
		{"an MTU", object(2, 0x01, 0, 0, 5, 0xdc), []icmp.InterfaceInfo{{MTU: 1500}}},
		{"an MTU that is cut", object(2, 0x01, 0, 5, 0xdc), nil},
		{"an IPv4 address", object(2, 0x04, 0, 1, 0, 0, 192, 0, 2, 1), []icmp.InterfaceInfo{{Address: source4}}},
		{"an IPv4 address that is cut", object(2, 0x04, 0, 1, 0, 0, 192, 0, 2), nil},
		{"an IPv6 address that is cut", object(2, 0x04, 0, 2, 0, 0, 0x20, 1, 0xd, 0xb8), nil},
		{"an address without any", object(2, 0x04, 0, 1, 0), nil},
		{"an address of an unknown family", object(2, 0x04, append([]byte{0, 9, 0, 0}, make([]byte, 16)...)...), nil},
		{"a name of no letter", object(2, 0x42, 1), []icmp.InterfaceInfo{{Role: icmp.RoleSubIP}}},
		{"a name of padding", object(2, 0x02, 4, 0, 0, 0), []icmp.InterfaceInfo{{}}},
		{"a name that ends with the object", object(2, 0x02, 4, 'a', 'b', 'c'), []icmp.InterfaceInfo{{Name: "abc"}}},
		{"no name", object(2, 0x02), nil},
	} {
		if err := e.Parse(extensions(tt.object)); err != nil {
			t.Fatal(err)
		}
		if got := e.AppendInterfaces(nil); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// A payload that is quoted to its first byte is empty; one that is not quoted is nil.
func TestThePayloadOfAQuote(t *testing.T) {
	tcp := append(make([]byte, 12), 5<<4, 0, 0, 0, 0, 0, 0, 0)
	for _, tt := range []struct {
		name     string
		protocol icmp.Protocol
		b        []byte
		payload  []byte
	}{
		{"TCP", icmp.TCP, tcp, []byte{}}, {"TCP that is cut", icmp.TCP, tcp[:19], nil},
		{"SCTP", icmp.SCTP, make([]byte, 12), []byte{}}, {"SCTP that is cut", icmp.SCTP, make([]byte, 11), nil},
		{"UDP", icmp.UDP, make([]byte, 8), []byte{}},
	} {
		var q icmp.Quote
		if err := q.ParseTransport(tt.protocol, tt.b); err != nil || len(q.Payload) != len(tt.payload) || (q.Payload == nil) != (tt.payload == nil) {
			t.Errorf("%s: %v, %v", tt.name, q.Payload, err)
		}
	}
	for _, length := range []byte{27, 28, 29, 30} { // as the IP header has it
		b := append(packet4(17, nil, make([]byte, 8)), 1, 2)
		b[3] = length
		want := map[byte]int{27: 2, 28: 0, 29: 1, 30: 2}[length] // of less than 8 bytes it is not believed
		var q icmp.Quote
		if err := q.Parse(icmp.V4, b); err != nil || len(q.Payload) != want {
			t.Errorf("of %d bytes: %d of payload, %v; want %d", length, len(q.Payload), err, want)
		}
	}
}

// What a node reads of an extended echo request is what was asked.
func TestAnExtendedEchoRequestIsReadAsItWasAsked(t *testing.T) {
	for name, e := range map[string]icmp.ExtendedEcho{
		"by name":                    {Local: true, Name: "eth0.1"},
		"by index":                   {Local: true, Index: 911},
		"by address":                 {Local: true, Address: source4},
		"a neighbor by IPv6 address": {Address: source6},
	} {
		for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
			e.ID, e.Sequence = 0x1234, 7
			m, err := e.Request(v)
			if err != nil {
				t.Fatal(err)
			}
			var got icmp.ExtendedEcho
			if err := got.Parse(m); err != nil || got != e {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
	}
	head := []byte{0x12, 0x34, 7, 0}
	for name, b := range map[string][]byte{
		"no extensions":             nil,
		"another version":           {0x10, 0, 0, 0},
		"no object":                 extensions(),
		"an object of another kind": extensions(object(2, 1, 'e', 't', 'h', '0')),
		"no name":                   extensions(object(3, 1)),
		"an index that is cut":      extensions(object(3, 2, 0, 0, 1)),
		"the index 0":               extensions(object(3, 2, 0, 0, 0, 0)),
		"an address that is cut":    extensions(object(3, 3, 0, 1, 4, 0, 192, 0, 2)),
		"of no kind that is known":  extensions(object(3, 9, 0, 0, 0, 1)),
		"an address of that kind":   extensions(object(3, 9, 0, 1, 4, 0, 192, 0, 2, 1)),
	} {
		m := icmp.Message{Type: icmp.V4ExtendedEchoRequest, Payload: append(head, b...)}
		if err := new(icmp.ExtendedEcho).Parse(&m); !errors.Is(err, icmp.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTimestampsAreReadAsTheyAreWritten(t *testing.T) {
	want := icmp.Timestamp{ID: 1, Sequence: 2, Originate: 3, Receive: 4, Transmit: 5}
	for _, m := range []*icmp.Message{want.Request(), want.Reply()} {
		var got icmp.Timestamp
		if err := got.Parse(m); err != nil || got != want {
			t.Errorf("%v: %+v, %v", m.Type, got, err)
		}
		m.Payload = m.Payload[:15]
		if err := got.Parse(m); !errors.Is(err, icmp.ErrMalformed) || got != (icmp.Timestamp{}) {
			t.Errorf("%v that is cut: %+v, %v", m.Type, got, err)
		}
	}
	m := want.Request()
	m.Type = icmp.V4EchoRequest
	if err := new(icmp.Timestamp).Parse(m); !errors.Is(err, icmp.ErrMalformed) {
		t.Errorf("another message: %v", err)
	}
}

// An error about a message with an id needs the 8 bytes that every router quotes.
func TestAnErrorAnswersAMessageByEightBytes(t *testing.T) {
	sent := (&icmp.Timestamp{ID: 1, Sequence: 2}).Request()
	b, err := sent.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	req := icmp.Request{Destination: target4, Message: sent}
	for n, want := range map[int]bool{8: true, 7: false, 20: true} {
		reply := exceeded4()
		reply.Quote.Type, reply.Quote.Transport = icmp.V4Timestamp, b[:n]
		if got := req.Answers(&reply); got != want {
			t.Errorf("with %d bytes: %v", n, got)
		}
	}
}

func TestNamesBeyondTheLast(t *testing.T) {
	last := icmp.KindSourceQuench
	if last.String() != "source quench" || (last+1).String() != icmp.KindOther.String() {
		t.Errorf("%v, %v", last, last+1)
	}
	for s, want := range map[icmp.NeighborState]string{icmp.NeighborFailed: "failed", icmp.NeighborFailed + 1: "unknown", icmp.NeighborReachable: "reachable"} {
		if s.String() != want {
			t.Errorf("state %d is %v, want %s", s, s, want)
		}
	}
	for s := icmp.NeighborUnknown; s <= icmp.NeighborFailed; s++ {
		text, _ := s.MarshalText()
		var back icmp.NeighborState
		if err := back.UnmarshalText(text); err != nil || back != s {
			t.Errorf("%s is read as %v, %v", text, back, err)
		}
	}
	if err := new(icmp.NeighborState).UnmarshalText([]byte("asleep")); err == nil {
		t.Error("a state that there is not is read")
	}
	for v, want := range map[icmp.Version]netip.Addr{icmp.V4: netip.IPv4Unspecified(), icmp.V6: netip.IPv6Unspecified()} {
		if got := v.Unspecified(); got != want {
			t.Errorf("%v: %v", v, got)
		}
	}
	for mtu, want := range map[int]string{0: "Packet Too Big", 1: "Packet Too Big (MTU 1)"} {
		err := icmp.Error{Reply: &icmp.Reply{Message: icmp.Message{Type: icmp.V6PacketTooBig, MTU: mtu}}}
		if err.Error() != want {
			t.Errorf("an MTU of %d: %v", mtu, &err)
		}
	}
}

// What is written of an error is read again.
func TestErrorsAreReadAsTheyAreWritten(t *testing.T) {
	quoted4, quoted6 := packet4(1, nil, echo(8)), packet6(58, echo(128))
	for _, want := range []icmp.Message{
		{Type: icmp.V4DestinationUnreachable, Code: 4, MTU: 1400, Payload: quoted4},
		{Type: icmp.V4ParameterProblem, Pointer: 20, Payload: quoted4},
		{Type: icmp.V4Redirect, Gateway: source4, Payload: quoted4},
		{Type: icmp.V6PacketTooBig, MTU: 70_000, Payload: quoted6},
		{Type: icmp.V6ParameterProblem, Pointer: 70_000, Payload: quoted6},
	} {
		b, err := want.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		var got icmp.Message
		if err := got.Parse(want.Type.Version(), b); err != nil || got.Type != want.Type || got.Code != want.Code || got.MTU != want.MTU ||
			got.Pointer != want.Pointer || got.Gateway != want.Gateway || !bytes.Equal(got.Payload, want.Payload) {
			t.Errorf("%v: %+v, %v", want.Type, got, err)
		}
	}
	echo := icmp.Message{Type: icmp.V4EchoReply, Extensions: icmp.Extensions{Raw: extensions(labels())}}
	if b, err := echo.Append(nil); err != nil || len(b) != 8 {
		t.Errorf("an echo reply with extensions: % x, %v", b, err)
	}
}

// Only an incoming label stack is one, and what was parsed before is gone.
func TestOtherObjectsAreNoLabels(t *testing.T) {
	var e icmp.Extensions
	for _, other := range [][]byte{object(1, 2, 0, 0, 0x11, 1), object(9, 1, 0, 0, 0x11, 1)} {
		if err := e.Parse(extensions(other)); err != nil || len(e.AppendMPLS(nil)) != 0 {
			t.Errorf("% x: %v, %v", other, e.AppendMPLS(nil), err)
		}
	}
	if err := e.Parse([]byte{0x20}); err == nil || e.Raw != nil {
		t.Errorf("% x, %v", e.Raw, err)
	}
	for want, label := range map[string]icmp.MPLSLabel{
		"L=16010,E=3,S=0,T=1":   {Label: 16010, TrafficClass: 3, TTL: 1},
		"L=24001,E=0,S=1,T=255": {Label: 24001, BottomOfStack: true, TTL: 255},
	} {
		if got := label.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestAnErrorWithoutAMessageSaysNothing(t *testing.T) {
	var e icmp.Error
	if e.Error() == "" || e.Is(icmp.ErrTimeExceeded) {
		t.Errorf("%v", &e)
	}
}

// A quoted echo reply has an id and a number as a request has.
func TestAnEchoReplyThatIsQuoted(t *testing.T) {
	var q icmp.Quote
	if err := q.Parse(icmp.V4, packet4(1, nil, echo(0))); err != nil || q.ID != 0x1234 || q.Sequence != 7 {
		t.Errorf("%+v, %v", q, err)
	}
}
