package icmp_test

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"

	"github.com/goicmp/icmplib/icmp"
)

func TestAppendBuildsAMessageThatParses(t *testing.T) {
	for _, to := range []netip.Addr{target4, target6} {
		req := icmp.Request{Destination: to, ID: 0x1234, Sequence: 0xfffe, Payload: []byte("some data")}
		b, err := req.Append([]byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		b, ok := bytes.CutPrefix(b, []byte("before"))
		if !ok {
			t.Fatal("what was there before is gone")
		}
		var m icmp.Message
		if err := m.Parse(icmp.VersionOf(to), b); err != nil {
			t.Fatal(err)
		}
		if m.Kind() != icmp.KindEchoRequest || m.ID != 0x1234 || m.Sequence != 0xfffe || string(m.Payload) != "some data" {
			t.Errorf("%+v", m)
		}
		if to.Is4() && icmp.Checksum(b) != 0 {
			t.Error("the checksum is wrong")
		}
		if to.Is6() && m.Checksum != 0 {
			t.Error("the checksum of ICMPv6 is the kernel's to fill in")
		}
	}
}

func TestPayloadSizes(t *testing.T) {
	tests := []struct {
		name string
		req  icmp.Request
		want int
	}{
		{"the default is ping's", icmp.Request{}, 56},
		{"a size", icmp.Request{Size: 1000}, 1000},
		{"negative means none", icmp.Request{Size: -1}, 0},
		{"an empty payload is none", icmp.Request{Payload: []byte{}}, 0},
		{"a payload overrides the size", icmp.Request{Payload: []byte("abc"), Size: 1000}, 3},
		{"the maximum", icmp.Request{Size: icmp.MaxSize}, icmp.MaxSize},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.req.Destination = target4
			b, err := tt.req.Append(nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(b) - 8; got != tt.want {
				t.Errorf("%d bytes of payload, want %d", got, tt.want)
			}
		})
	}
}

func TestValidateNamesTheField(t *testing.T) {
	tests := []struct {
		name  string
		req   icmp.Request
		field string
	}{
		{"no destination", icmp.Request{}, "Destination"},
		{"a size over the maximum", icmp.Request{Destination: target4, Size: icmp.MaxSize + 1}, "Size"},
		{"a payload over the maximum", icmp.Request{Destination: target4, Payload: make([]byte, icmp.MaxSize+1)}, "Payload"},
		{"a TTL over 255", icmp.Request{Destination: target4, TTL: 256}, "TTL"},
		{"a negative timeout", icmp.Request{Destination: target4, Timeout: -1}, "Timeout"},
		{"a negative TTL", icmp.Request{Destination: target4, TTL: -1}, "TTL"},
		{"a traffic class over 255", icmp.Request{Destination: target4, TrafficClass: 256}, "TrafficClass"},
		{"a negative traffic class", icmp.Request{Destination: target4, TrafficClass: -1}, "TrafficClass"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.req.Append(nil)
			field, ok := errors.AsType[*icmp.FieldError](err)
			if !ok || field.Field != tt.field || field.Allowed == "" {
				t.Errorf("error is %v, want one about %s", err, tt.field)
			}
		})
	}
}

func TestBuildingAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 128)
	req := icmp.Request{Destination: target4, Sequence: 1}
	if n := testing.AllocsPerRun(100, func() { buf, _ = req.Append(buf[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
