package iphelper

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
)

// golden reads hex digits with blanks and puts them at the beginning of a buffer for
// a payload of size bytes.
func golden(t *testing.T, f Family, size int, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, f.BufferSize(size))
	if len(b) > len(buf) {
		t.Fatalf("%d bytes do not fit into a buffer of %d", len(b), len(buf))
	}
	copy(buf, b)
	return buf
}

const base = 0x1d4cec886000 // where the buffers below were

// The structures of ipexport.h as a 64-bit system lays them out.
const (
	reply4 = `7f000001 00000000 01000000 0400 0000 2860 88ec 4c1d 0000
		40 08 00 00 02000000 2860 88ec 4c1d 0000
		70696e67`
	exceeded4 = `0a000101 052b0000 02000000 0000 0000 0000000000000000
		ff c0 00 00 00000000 0000000000000000`
	reply6 = `0000 00000000 20010db8000000000000000000000009 00000000 0000 00000000 03000000
		70696e67`
	exceeded6 = `0000 00000000 fe800000000000000000000000000001 04000000 0000 052b0000 03000000`
)

func TestReplies(t *testing.T) {
	for _, tt := range []struct {
		name   string
		family Family
		bytes  string
		want   Reply
		data   string
	}{
		{"an echo reply over IPv4", V4, reply4,
			Reply{Source: netip.MustParseAddr("127.0.0.1"), TTL: 64, TrafficClass: 8}, "ping"},
		{"a router over IPv4", V4, exceeded4,
			Reply{Status: 11013, Source: netip.MustParseAddr("10.0.1.1"), TTL: 255, TrafficClass: 0xc0}, ""},
		{"an echo reply over IPv6", V6, reply6,
			Reply{Source: netip.MustParseAddr("2001:db8::9")}, "ping"},
		{"a router over IPv6, with the interface of its address", V6, exceeded6,
			Reply{Status: 11013, Source: netip.MustParseAddr("fe80::1"), Zone: 4}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.family.Parse(golden(t, tt.family, 4, tt.bytes), base, 4)
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Data) != tt.data {
				t.Errorf("the payload is %q, want %q", got.Data, tt.data)
			}
			got.Data, got.offset = nil, 0
			if got.Status != tt.want.Status || got.Source != tt.want.Source || got.Zone != tt.want.Zone ||
				got.TTL != tt.want.TTL || got.TrafficClass != tt.want.TrafficClass {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestABufferThatDoesNotHoldTogether(t *testing.T) {
	for _, tt := range []struct {
		name, from, to string
	}{
		{"a payload that begins before the buffer", "2860 88ec", "0050 88ec"},
		{"a payload within the structure", "2860 88ec", "2060 88ec"},
		{"a payload behind the buffer", "2860 88ec", "28ff 88ec"},
		{"a payload that ends behind the buffer", "0400 0000 2860", "ff00 0000 2860"},
	} {
		if _, err := V4.Parse(golden(t, V4, 4, strings.Replace(reply4, tt.from, tt.to, 1)), base, 4); err == nil {
			t.Errorf("%s was read", tt.name)
		}
	}
	for _, f := range []Family{V4, V6} {
		if _, err := f.Parse(make([]byte, f.BufferSize(4)-1), base, 4); err == nil {
			t.Error("a short buffer was read")
		}
	}
}

func TestTheMessageOfAReply(t *testing.T) {
	for _, tt := range []struct {
		family Family
		bytes  string
		want   string
	}{
		{V4, reply4, "\x00\x00\x00\x00\x12\x34\xfe\xdcping"},
		{V6, reply6, "\x81\x00\x00\x00\x12\x34\xfe\xdcping"},
	} {
		buf := golden(t, tt.family, 4, tt.bytes)
		r, err := tt.family.Parse(buf, base, 4)
		if err != nil {
			t.Fatal(err)
		}
		if got := tt.family.Message(buf, &r, 0x1234, 0xfedc); string(got) != tt.want {
			t.Errorf("got % x, want % x", got, tt.want)
		}
	}
}

func TestABufferIsMarkedBeforeTheCall(t *testing.T) {
	for _, f := range []Family{V4, V6} {
		buf := bytes.Repeat([]byte{0}, f.BufferSize(56))
		f.Prepare(buf)
		if got := f.Status(buf); got != Untouched {
			t.Errorf("the status is %v", uint32(got))
		}
	}
}

func TestWhatIsPassed(t *testing.T) {
	if got, want := Options(5, 0xb8, DontFragment), ([16]byte{5, 0xb8, 2}); got != want {
		t.Errorf("the options are % x, want % x", got, want)
	}
	if got := Address4(netip.MustParseAddr("10.1.2.3")); got != 0x0302010a {
		t.Errorf("the IPv4 address is %#x", got)
	}
	want := [28]byte{0: 23, 8: 0xfe, 9: 0x80, 23: 1, 24: 7}
	if got := Address6(netip.MustParseAddr("fe80::1"), 7); got != want {
		t.Errorf("the IPv6 address is % x, want % x", got, want)
	}
	if Address4(netip.Addr{}) != 0 || Address6(netip.Addr{}, 0) != [28]byte{0: 23} {
		t.Error("no address is not the unspecified one")
	}
	if got := V4.BufferSize(56); got != 40+56+8+16+16 {
		t.Errorf("a buffer for 56 bytes over IPv4 has %d", got)
	}
	if got := V6.BufferSize(0); got != 36+8+8+16+16 {
		t.Errorf("a buffer for no bytes over IPv6 has %d", got)
	}
}

func TestStatuses(t *testing.T) {
	none := message{255, 255}
	for _, tt := range []struct {
		status Status
		v4, v6 message
	}{
		{11001, none, none},
		{11002, message{3, 0}, message{1, 0}},
		{11003, message{3, 1}, message{1, 3}},
		{11004, message{3, 2}, message{1, 1}},
		{11005, message{3, 3}, message{1, 4}},
		{11006, none, none},
		{11007, none, none},
		{11008, none, none},
		{11009, message{3, 4}, message{2, 0}},
		{TimedOut, none, none},
		{11013, message{11, 0}, message{3, 0}},
		{11014, message{11, 1}, message{3, 1}},
		{11015, message{12, 0}, message{4, 0}},
		{11018, none, none},
		{11050, none, none},
		{Success, none, none},
		{Untouched, none, none},
		{4711, none, none},
	} {
		for f, want := range map[Family]message{V4: tt.v4, V6: tt.v6} {
			typ, code, ok := f.ErrorMessage(tt.status)
			if ok != (want != none) || ok && (message{typ, code}) != want {
				t.Errorf("%v, IPv6 %v, is type %d, code %d, %v; want %v", tt.status, f, typ, code, ok, want)
			}
		}
	}
}

func TestErrorsAreWhatTheyMean(t *testing.T) {
	for number, want := range map[uint32]error{
		5: os.ErrPermission, 10013: os.ErrPermission,
		10065: syscall.EHOSTUNREACH, 1232: syscall.EHOSTUNREACH,
		10051: syscall.ENETUNREACH, 1231: syscall.ENETUNREACH,
		10055: syscall.ENOBUFS, 11006: syscall.ENOBUFS, uint32(Untouched): syscall.ENOBUFS,
		10040: syscall.EMSGSIZE, 11009: syscall.EMSGSIZE,
		10049: syscall.EADDRNOTAVAIL, 10048: syscall.EADDRINUSE,
		10043: errors.ErrUnsupported, 10047: errors.ErrUnsupported, 120: errors.ErrUnsupported,
	} {
		said := Errno(number)
		got := Explain(&os.SyscallError{Syscall: "sendto", Err: said})
		if !errors.Is(got, want) || !errors.Is(got, said) || !strings.Contains(got.Error(), said.Error()) {
			t.Errorf("%d is %v, want %v beside %v", number, got, want, said)
		}
	}
	if err := Explain(syscall.Errno(10013)); !errors.Is(err, syscall.EACCES) {
		t.Errorf("10013 is %v, want EACCES", err)
	}
	for _, err := range []error{nil, io.EOF, syscall.Errno(11002)} { // the last: WSATRY_AGAIN
		if got := Explain(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	if got := Status(11013).Error(); got != "time exceeded in transit (IP status 11013)" {
		t.Errorf("a status says %q", got)
	}
}
