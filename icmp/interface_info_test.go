package icmp_test

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/goicmp/icmplib/icmp"
)

func TestInterfacesAreReadAsTheCTypeAnnounces(t *testing.T) {
	tests := []struct {
		name   string
		object []byte
		want   []icmp.InterfaceInfo
	}{
		{"all that there is", object(2, 0x0f, 0, 0, 0, 7, 0, 1, 0, 0, 192, 0, 2, 1, 8, 'e', 't', 'h', '0', 0, 0, 0, 0, 0, 5, 0xdc),
			[]icmp.InterfaceInfo{{Index: 7, Address: netip.MustParseAddr("192.0.2.1"), Name: "eth0", MTU: 1500}}},
		{"the outgoing interface by its name", object(2, 0x82, 4, 'p', 'p', 'p'),
			[]icmp.InterfaceInfo{{Role: icmp.RoleOutgoing, Name: "ppp"}}},
		{"an IPv6 next hop", object(2, 0xc4, 0, 2, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9),
			[]icmp.InterfaceInfo{{Role: icmp.RoleNextHop, Address: netip.MustParseAddr("2001:db8::9")}}},
		{"an address of an unknown family", object(2, 0x04, 0, 9, 0, 0, 1, 2, 3, 4), nil},
		{"a name longer than the object", object(2, 0x02, 64, 'a', 'b', 'c'), nil},
		{"a name without length", object(2, 0x02, 0, 0, 0, 0), nil},
		{"an index that is cut", object(2, 0x08, 0, 0), nil},
		{"another class", labels(), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var e icmp.Extensions
			if err := e.Parse(extensions(tt.object)); err != nil {
				t.Fatal(err)
			}
			if got := e.AppendInterfaces(nil); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	if got := icmp.RoleNextHop.String(); got != "next hop" {
		t.Error(got)
	}
}

func TestRolesOfInterfacesAreReadAsTheyAreWritten(t *testing.T) {
	for _, role := range []icmp.InterfaceRole{icmp.RoleIncoming, icmp.RoleSubIP, icmp.RoleOutgoing, icmp.RoleNextHop} {
		text, err := role.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back icmp.InterfaceRole
		if err := back.UnmarshalText(text); err != nil || back != role {
			t.Errorf("%q is read as %v, %v", text, back, err)
		}
	}
	var none icmp.InterfaceRole
	if err := none.UnmarshalText([]byte("upstairs")); err == nil {
		t.Error("a role that there is not is read")
	}
}
