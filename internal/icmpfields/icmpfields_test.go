package icmpfields

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/fields"
)

// travels writes a value, compares the text and reads it back.
func travels[T any](t *testing.T, v T, list func(*T, *fields.Object), want string) {
	t.Helper()
	codec := fields.Codec[T]{List: list}
	text, err := codec.Append(nil, &v)
	if err != nil || string(text) != want {
		t.Errorf("%s, %v\nwant\n%s", text, err, want)
	}
	var back T
	if err := codec.Read(text, &back); err != nil || !reflect.DeepEqual(back, v) {
		t.Errorf("%+v, %v, want %+v", back, err, v)
	}
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	travels(t, icmp.MPLSLabel{Label: 7, TrafficClass: 1, BottomOfStack: true, TTL: 9}, Label,
		`{"label":7,"traffic_class":1,"bottom_of_stack":true,"ttl":9}`)
	travels(t, icmp.InterfaceInfo{Index: 2, Address: netip.MustParseAddr("192.0.2.1"), Name: "eth0", MTU: 1500}, Interface,
		`{"role":"`+icmp.InterfaceInfo{}.Role.String()+`","index":2,"address":"192.0.2.1","name":"eth0","mtu":1500}`)
	travels(t, icmp.InterfaceInfo{}, Interface, `{"role":"`+icmp.InterfaceInfo{}.Role.String()+`"}`)
	travels(t, icmp.Timestamp{Originate: 1, Receive: 2, Transmit: 3}, Timestamp, `{"originate":1,"receive":2,"transmit":3}`)
	travels(t, icmp.ExtendedEcho{Active: true, IPv6: true}, ExtendedEcho,
		`{"state":"`+icmp.ExtendedEcho{}.State.String()+`","active":true,"ipv4":false,"ipv6":true}`)
}

// The number alone does not tell the IP version.
func TestATypeIsThatOfTheVersionBesideIt(t *testing.T) {
	for _, from := range []string{"192.0.2.1", "2001:db8::1"} {
		addr := netip.MustParseAddr(from)
		e := icmp.Error{Reply: &icmp.Reply{Source: addr}}
		e.Reply.Type, e.Reply.Code, e.Reply.MTU = icmp.MakeType(icmp.VersionOf(addr), 3), 1, 0
		travels(t, e, Error, `{"responder":"`+from+`","type":3,"code":1}`)
	}
	none := func(v *icmp.Type, o *fields.Object) { Type(o, v, &netip.Addr{}) }
	travels(t, icmp.Type(0), none, `{"type":null}`)
}
