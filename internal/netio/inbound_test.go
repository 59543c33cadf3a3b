package netio

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
	"github.com/goicmp/icmplib/internal/wire"
)

var router = netip.MustParseAddr("192.0.2.254")

func TestDescribeSaysHowAPacketCame(t *testing.T) {
	read := time.Now()
	in := sys.Inbound{
		From: netip.MustParseAddr("192.0.2.1"), To: router, InterfaceIndex: 3, TTL: 57, TrafficClass: 8,
		Read: read, Queued: time.Millisecond, Stamped: true, Elapsed: time.Second,
	}
	got := icmp.Reply{Size: 1, KernelRTT: 1}
	Describe(&got, &in, &Zones{})
	if got.Source != in.From || got.Destination != in.To || got.InterfaceIndex != 3 || got.TTL != 57 || got.TrafficClass != 8 || got.Size != 0 ||
		!got.Time.Equal(read.Add(-time.Millisecond)) || got.Queued != time.Millisecond || !got.Stamped || got.CounterRTT != time.Second || got.KernelRTT != 0 {
		t.Errorf("%+v", got)
	}
}

func TestAHeaderIsTakenOff(t *testing.T) {
	ip := wire.IPv4{TTL: 57, TrafficClass: 8, Protocol: 1, Source: router, Destination: netip.MustParseAddr("192.0.2.1")}
	packet := append(ip.Append(nil, 3), 1, 2, 3)
	var r icmp.Reply
	if data := StripIPv4(&r, packet); !slices.Equal(data, []byte{1, 2, 3}) || r.Source != router || r.Destination != ip.Destination || r.TTL != 57 || r.TrafficClass != 8 {
		t.Errorf("% x, %+v", data, r)
	}
	if data := StripIPv4(&r, packet[:19]); data != nil {
		t.Errorf("a header that is cut is taken off: % x", data)
	}
}

// An entry of the error queue becomes the message that the kernel took apart.
func TestAnEntryOfTheErrorQueueIsAnError(t *testing.T) {
	structure := []byte{0x20, 0, 0, 0, 0, 8, 1, 1, 0, 1, 0x11, 1}
	binary.BigEndian.PutUint16(structure[2:], wire.Checksum(structure))
	quoted := []byte{8, 0, 0, 0, 0, 1, 0, 2, 'd', 'a', 't', 'a'}
	behind := func(n int) []byte { return append(append(quoted, make([]byte, n-len(quoted))...), structure...) }
	for _, tt := range []struct {
		name      string
		v         icmp.Version
		err       sys.QueuedError
		data      []byte
		cut       int
		want      icmp.Type
		quoted    int // bytes; below 0: it is no error
		labels    int
		compliant bool
		mtu       int
		pointer   int
	}{
		{"time exceeded", icmp.V4, sys.QueuedError{Origin: sys.OriginICMP, Type: 11, Info: 9}, quoted, 0, icmp.V4TimeExceeded, 12, 0, false, 0, 0},
		{"of ICMPv6", icmp.V6, sys.QueuedError{Origin: sys.OriginICMPv6, Type: 3}, quoted, 0, icmp.V6TimeExceeded, 12, 0, false, 0, 0},
		{"of this host", icmp.V4, sys.QueuedError{Origin: sys.OriginLocal, Type: 11}, quoted, 0, 0, -1, 0, false, 0, 0},
		{"an MTU", icmp.V4, sys.QueuedError{Origin: sys.OriginICMP, Type: 3, Code: 4, Info: 1400}, quoted, 0, icmp.V4DestinationUnreachable, 12, 0, false, 1400, 0},
		{"a pointer", icmp.V6, sys.QueuedError{Origin: sys.OriginICMPv6, Type: 4, Info: 40}, quoted, 0, icmp.V6ParameterProblem, 12, 0, false, 0, 40},
		{"extensions where the kernel found them", icmp.V4, sys.QueuedError{Origin: sys.OriginICMP, Type: 11, Data: offset(108)}, behind(108), 0, icmp.V4TimeExceeded, 108, 1, true, 0, 0},
		{"extensions of the last byte, which are none", icmp.V4, sys.QueuedError{Origin: sys.OriginICMP, Type: 11, Data: offset(11)}, quoted, 0, icmp.V4TimeExceeded, 11, 0, false, 0, 0},
		{"extensions behind the end", icmp.V4, sys.QueuedError{Origin: sys.OriginICMP, Type: 11, Data: offset(12)}, quoted, 0, icmp.V4TimeExceeded, 12, 0, false, 0, 0},
		{"extensions of the old form", icmp.V4, sys.QueuedError{Origin: sys.OriginICMP, Type: 11}, behind(108), 0, icmp.V4TimeExceeded, 108, 1, false, 0, 0},
		{"of the old form, in IPv6", icmp.V6, sys.QueuedError{Origin: sys.OriginICMPv6, Type: 3}, behind(88), 0, icmp.V6TimeExceeded, 88, 1, false, 0, 0},
		{"of the old form, behind UDP", icmp.V4, sys.QueuedError{Origin: sys.OriginICMP, Type: 11}, behind(100), 8, icmp.V4TimeExceeded, 100, 1, false, 0, 0},
		{"at another place", icmp.V4, sys.QueuedError{Origin: sys.OriginICMP, Type: 11}, behind(104), 0, icmp.V4TimeExceeded, 116, 0, false, 0, 0},
	} {
		in := sys.Inbound{Data: tt.data, From: netip.MustParseAddr("192.0.2.1"), Err: tt.err}
		in.Err.Offender, in.Err.Presumed = router, true
		var r icmp.Reply
		got, ok := ParseQueued(&r, tt.v, &in, tt.cut, &Zones{})
		if tt.quoted < 0 {
			if ok || r.Source.IsValid() {
				t.Errorf("%s: it is an error: %+v", tt.name, r)
			}
			continue
		}
		if !ok || len(got) != tt.quoted || r.Type != tt.want || r.Source != router || r.MTU != tt.mtu || r.Pointer != tt.pointer ||
			len(r.Extensions.AppendMPLS(nil)) != tt.labels || r.Extensions.Compliant != tt.compliant ||
			r.Quote.Version != tt.v || r.Quote.Destination != in.From || !r.Quote.Presumed {
			t.Errorf("%s: %d bytes quoted, %+v", tt.name, len(got), r.Message)
		}
	}
}

// offset is how the kernel says where extensions begin.
func offset(n uint16) uint32 {
	var b [4]byte
	binary.NativeEndian.PutUint16(b[:], n)
	return binary.NativeEndian.Uint32(b[:])
}

func TestZonesAreNamesOfInterfaces(t *testing.T) {
	interfaces, err := net.Interfaces()
	if err != nil || len(interfaces) == 0 {
		t.Skip("this host has no interface")
	}
	index, name := uint32(interfaces[0].Index), interfaces[0].Name
	var z Zones
	for _, tt := range []struct {
		addr  string
		index uint32
		want  string
	}{
		{"fe80::1", index, "fe80::1%" + name},
		{"ff02::1", index, "ff02::1%" + name},
		{"fe80::1", 0, "fe80::1"},
		{"fe80::1", 4_000_000, "fe80::1%4000000"},
		{"2001:db8::1", index, "2001:db8::1"},
		{"169.254.0.1", index, "169.254.0.1"},
	} {
		for range 2 { // the second time from memory
			if got := z.Join(netip.MustParseAddr(tt.addr), tt.index).String(); got != tt.want {
				t.Errorf("%s on %d is %s, want %s", tt.addr, tt.index, got, tt.want)
			}
		}
	}
	for zone, want := range map[string]uint32{"": 0, name: index, strconv.Itoa(int(index)): index, "1": 1, "2147483647": 1<<31 - 1} {
		if got, err := z.Index(zone); err != nil || got != want {
			t.Errorf("zone %q: %d, %v", zone, got, err)
		}
	}
	for _, zone := range []string{"no such interface", "0", "-1", "2147483648"} {
		_, err := z.Index(zone)
		if e, ok := errors.AsType[*icmp.FieldError](err); !ok || e.Field != "zone" {
			t.Errorf("zone %q: %v", zone, err)
		}
	}
	z.names[index], z.indices[name] = "was", 77
	if got := z.Join(netip.MustParseAddr("fe80::1"), index).Zone(); got != "was" {
		t.Errorf("what was found is looked up again at once: %s", got)
	}
	if got, _ := z.Index(name); got != 77 {
		t.Errorf("what was found is looked up again at once: %d", got)
	}
	z.Forget()
	if got := z.Join(netip.MustParseAddr("fe80::1"), index).Zone(); got != name {
		t.Errorf("%s is not forgotten", got)
	}
	if got, _ := z.Index(name); got != index {
		t.Errorf("%d is not forgotten", got)
	}
}
