package icmp_test

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	xicmp "golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/goicmp/icmplib/icmp"
)

// Extended echo requests are those of golang.org/x/net/icmp, byte by byte.
func TestExtendedEchoRequestsAgainstAReference(t *testing.T) {
	for _, tt := range []struct {
		name  string
		query icmp.ExtendedEcho
		ident xicmp.InterfaceIdent
	}{
		{"by name", icmp.ExtendedEcho{Local: true, Name: "eth0.12"}, xicmp.InterfaceIdent{Class: 3, Type: 1, Name: "eth0.12"}},
		{"by index", icmp.ExtendedEcho{Local: true, Index: 911}, xicmp.InterfaceIdent{Class: 3, Type: 2, Index: 911}},
		{"by IPv4 address", icmp.ExtendedEcho{Local: true, Address: source4}, xicmp.InterfaceIdent{Class: 3, Type: 3, AFI: 1, Addr: source4.AsSlice()}},
		{"a neighbor by IPv6 address", icmp.ExtendedEcho{Address: source6}, xicmp.InterfaceIdent{Class: 3, Type: 3, AFI: 2, Addr: source6.AsSlice()}},
	} {
		for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
			tt.query.ID, tt.query.Sequence = 0x1234, 7
			m, err := tt.query.Request(v)
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.Append(nil)
			if err != nil {
				t.Fatal(err)
			}
			reference := xicmp.Message{Type: ipv4.ICMPTypeExtendedEchoRequest, Body: &xicmp.ExtendedEchoRequest{
				ID: 0x1234, Seq: 7, Local: tt.query.Local, Extensions: []xicmp.Extension{&tt.ident},
			}}
			if v == icmp.V6 {
				reference.Type = ipv6.ICMPTypeExtendedEchoRequest
			}
			want, err := reference.Marshal(nil)
			if err != nil {
				t.Fatal(err)
			}
			if v == icmp.V6 {
				want[2], want[3] = 0, 0 // the kernel's to fill in
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s, %v:\n% x\n% x in the reference", tt.name, v, got, want)
			}
		}
	}
}

func TestExtendedEchoAsksAboutOneInterface(t *testing.T) {
	for name, query := range map[string]icmp.ExtendedEcho{
		"none":                    {Local: true},
		"two":                     {Local: true, Name: "eth0", Index: 1},
		"a neighbor by name":      {Name: "eth0"},
		"a name that is too long": {Local: true, Name: string(make([]byte, 256))},
	} {
		_, err := query.Request(icmp.V4)
		if _, ok := errors.AsType[*icmp.FieldError](err); !ok {
			t.Errorf("%s: %v, want a FieldError", name, err)
		}
	}
}

// The state of an interface is not to be read where the code says that there is none.
func TestWhatAnExtendedEchoReplyTells(t *testing.T) {
	m := icmp.Message{Type: icmp.V6ExtendedEchoReply, Payload: []byte{0x12, 0x34, 7, 2<<5 | 4 | 1}}
	var e icmp.ExtendedEcho
	if err := e.Parse(&m); err != nil {
		t.Fatal(err)
	}
	if want := (icmp.ExtendedEcho{ID: 0x1234, Sequence: 7, State: icmp.NeighborReachable, Active: true, IPv6: true}); e != want {
		t.Errorf("%+v, want %+v", e, want)
	}
	m.Code = 2
	if err := e.Parse(&m); err != nil || e.Active || m.Type.CodeString(m.Code) != "No Such Interface" {
		t.Errorf("%+v, %v", e, err)
	}
	for _, m := range []icmp.Message{{Type: icmp.V4EchoReply, Payload: make([]byte, 8)}, {Type: icmp.V4ExtendedEchoReply, Payload: []byte{1, 2, 3}}} {
		if err := e.Parse(&m); !errors.Is(err, icmp.ErrMalformed) {
			t.Errorf("%v: %v", m.Type, err)
		}
	}
}

func TestTimesOfDay(t *testing.T) {
	at := time.Date(2026, 3, 1, 23, 59, 59, 999_900_000, time.FixedZone("", 3600))
	if got := icmp.MillisecondOfDay(at); got != 22*3600*1000+59*60*1000+59*1000+999 {
		t.Errorf("%v is %d ms", at, got)
	}
	for stamp, want := range map[uint32]bool{0: true, 86_399_999: true, 86_400_000: false, 1<<31 | 5: false} {
		if d, ok := icmp.TimeOfDay(stamp); ok != want || ok && d != time.Duration(stamp)*time.Millisecond {
			t.Errorf("%d: %v, %v", stamp, d, ok)
		}
	}
}

func TestAMessageThatCannotBeSent(t *testing.T) {
	for _, tt := range []struct {
		name  string
		m     icmp.Message
		field string
	}{
		{"without a version", icmp.Message{}, "Type"},
		{"a redirect to nowhere", icmp.Message{Type: icmp.V4Redirect}, "Gateway"},
		{"extensions where there is no place for them", icmp.Message{Type: icmp.V6PacketTooBig, Extensions: icmp.Extensions{Raw: extensions(labels())}}, "Extensions"},
		{"a quote that is too long for extensions", icmp.Message{Type: icmp.V4TimeExceeded, Payload: make([]byte, 1021), Extensions: icmp.Extensions{Raw: extensions(labels())}}, "Payload"},
		{"an MTU of 17 bits", icmp.Message{Type: icmp.V4DestinationUnreachable, Code: 4, MTU: 1 << 16}, "MTU"},
		{"a pointer of 9 bits", icmp.Message{Type: icmp.V4ParameterProblem, Pointer: 256}, "Pointer"},
		{"more than a packet holds", icmp.Message{Type: icmp.V4EchoReply, Payload: make([]byte, icmp.MaxSize+1)}, "Payload"},
	} {
		b, err := tt.m.Append([]byte{1})
		if e, ok := errors.AsType[*icmp.FieldError](err); !ok || e.Field != tt.field || len(b) != 1 {
			t.Errorf("%s: %v, want a FieldError about %s", tt.name, err, tt.field)
		}
	}
	short, err := (&icmp.Message{Type: icmp.V4RouterSolicitation}).Append(nil)
	if err != nil || !bytes.Equal(short, []byte{10, 0, 0xf5, 0xff, 0, 0, 0, 0}) {
		t.Errorf("% x, %v: want the 8 bytes that a header has", short, err)
	}
}

// A request has the version of its destination, whatever it carries.
func TestARequestWithAMessage(t *testing.T) {
	r := icmp.Request{Destination: target4, Message: &icmp.Message{Type: icmp.V6ExtendedEchoRequest}}
	if e, ok := errors.AsType[*icmp.FieldError](r.Validate()); !ok || e.Field != "Message" {
		t.Errorf("a message of the other version: %v", r.Validate())
	}
	r.Message = (&icmp.Timestamp{ID: 1, Sequence: 2, Originate: 3}).Request()
	r.Size = -5 // not looked at
	got, err := r.Append(nil)
	want := []byte{13, 0, 0xf2, 0xf9, 0, 1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0}
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("% x, %v, want % x", got, err, want)
	}
	r.TTL = 256
	if r.Validate() == nil {
		t.Error("a TTL of 256 is accepted beside a message")
	}
}

func TestWhatAnswersAMessage(t *testing.T) {
	stamp := icmp.Timestamp{ID: 5, Sequence: 6}
	other := icmp.Timestamp{ID: 5, Sequence: 7}
	probe := (&icmp.ExtendedEcho{ID: 5, Sequence: 6, Local: true, Index: 1})
	extended, err := probe.Request(icmp.V4)
	if err != nil {
		t.Fatal(err)
	}
	quoting := func(m *icmp.Message, to netip.Addr) icmp.Message {
		b, err := m.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		e := icmp.Message{Type: icmp.V4TimeExceeded, Quote: icmp.Quote{Destination: to}}
		if err := e.Quote.ParseTransport(icmp.ICMP, b); err != nil {
			t.Fatal(err)
		}
		return e
	}
	of := func(t icmp.Type, m icmp.Message) icmp.Message { m.Type = t; return m }
	echoRequest := &icmp.Message{Type: icmp.V4EchoRequest, ID: 5, Sequence: 6}
	for _, tt := range []struct {
		name   string
		sent   *icmp.Message
		came   icmp.Message
		source netip.Addr
		want   bool
	}{
		{"its reply", stamp.Request(), *stamp.Reply(), target4, true},
		{"the reply to another one", stamp.Request(), *other.Reply(), target4, false},
		{"the reply of another host", stamp.Request(), *stamp.Reply(), source4, false},
		{"an echo reply", stamp.Request(), icmp.Message{Type: icmp.V4EchoReply, ID: 5, Sequence: 6}, target4, false},
		{"an error that quotes it", stamp.Request(), quoting(stamp.Request(), target4), source4, true},
		{"an error that quotes another one", stamp.Request(), quoting(other.Request(), target4), source4, false},
		{"an error that quotes another type", stamp.Request(), quoting(extended, target4), source4, false},
		{"an error about another host", stamp.Request(), quoting(stamp.Request(), source4), source4, false},
		{"a reply whose last byte is the state, not the number", extended, icmp.Message{Type: icmp.V4ExtendedEchoReply, Payload: []byte{0, 5, 6, 4}}, target4, true},
		{"a reply of another number", extended, icmp.Message{Type: icmp.V4ExtendedEchoReply, Payload: []byte{0, 5, 7, 4}}, target4, false},
		{"nothing answers a reply", stamp.Reply(), *stamp.Reply(), target4, false},
		{"an error that quotes all but the number", stamp.Request(), quoting(&icmp.Message{Type: icmp.V4Timestamp, Payload: []byte{0, 5, 0, 0}}, target4), source4, false},
		{"a redirect, which is advice", stamp.Request(), of(icmp.V4Redirect, quoting(stamp.Request(), target4)), source4, false},
		{"a source quench, which is advice", stamp.Request(), of(icmp.V4SourceQuench, quoting(stamp.Request(), target4)), source4, false},
		{"an error about what has no id", &icmp.Message{Type: icmp.V4RouterSolicitation}, quoting(&icmp.Message{Type: icmp.V4RouterSolicitation}, target4), source4, true},
		{"an echo reply to an echo request", echoRequest, icmp.Message{Type: icmp.V4EchoReply, ID: 5, Sequence: 6}, target4, true},
		{"an echo reply of another id", echoRequest, icmp.Message{Type: icmp.V4EchoReply, ID: 6, Sequence: 6}, target4, false},
		{"an echo reply of another number", echoRequest, icmp.Message{Type: icmp.V4EchoReply, ID: 5, Sequence: 7}, target4, false},
		{"an advertisement of a router with other bytes", &icmp.Message{Type: icmp.V4RouterSolicitation}, icmp.Message{Type: icmp.V4RouterAdvertisement, Payload: []byte{1, 2, 0, 3}}, target4, true},
		{"an advertisement", &icmp.Message{Type: icmp.V4RouterSolicitation}, icmp.Message{Type: icmp.V4RouterAdvertisement}, target4, true},
	} {
		r := icmp.Request{Destination: target4, Message: tt.sent}
		if got := r.Answers(&icmp.Reply{Message: tt.came, Source: tt.source}); got != tt.want {
			t.Errorf("%s answers: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// In IPv6 the last byte of an extended echo is no part of its number, either.
func TestWhatAnswersAnExtendedEchoOfIPv6(t *testing.T) {
	m, err := (&icmp.ExtendedEcho{ID: 5, Sequence: 6, Local: true, Index: 1}).Request(icmp.V6)
	if err != nil {
		t.Fatal(err)
	}
	r := icmp.Request{Destination: target6, Message: m}
	for number, want := range map[byte]bool{6: true, 7: false} {
		reply := icmp.Reply{Message: icmp.Message{Type: icmp.V6ExtendedEchoReply, Payload: []byte{0, 5, number, 4}}, Source: target6}
		if got := r.Answers(&reply); got != want {
			t.Errorf("number %d: %v", number, got)
		}
	}
}

func TestTypesOfAVersion(t *testing.T) {
	all := icmp.AllTypes(icmp.V6)
	if len(all) != 256 || !slices.Contains(all, icmp.V6ExtendedEchoReply) || slices.Contains(all, icmp.V4EchoReply) {
		t.Errorf("%d types", len(all))
	}
	if icmp.V4EchoReply.Reply() != 0 || icmp.V4Timestamp.Reply() != icmp.V4TimestampReply || icmp.V6RouterSolicitation.HasID() {
		t.Error("what answers what")
	}
}
