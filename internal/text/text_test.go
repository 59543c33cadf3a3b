package text

import (
	"net/netip"
	"testing"
	"time"
)

// A name may come from elsewhere, and a terminal obeys what it is sent.
func TestATargetIsPrintable(t *testing.T) {
	addr := netip.MustParseAddr("192.0.2.1")
	for _, tt := range []struct {
		name string
		addr netip.Addr
		want string
	}{
		{"example.org", addr, "example.org (192.0.2.1)"},
		{"example.org", netip.Addr{}, "example.org"},
		{"192.0.2.1", addr, "192.0.2.1"},
		{"", addr, "192.0.2.1"},
		{"", netip.Addr{}, ""},
		{"a\x1b[2Jb", netip.Addr{}, `"a\x1b[2Jb"`},
		{"a\xffb", netip.Addr{}, `"a\xffb"`},
		{"größe", netip.Addr{}, "größe"},
	} {
		if got := Target(tt.name, tt.addr); got != tt.want {
			t.Errorf("%q, %v: %s, want %s", tt.name, tt.addr, got, tt.want)
		}
	}
	if got := Addr(addr) + Addr(netip.Addr{}) + AddrOr(addr, "none") + AddrOr(netip.Addr{}, "none"); got != "192.0.2.1*192.0.2.1none" {
		t.Error(got)
	}
}

func TestCountsThatAreNotZero(t *testing.T) {
	if got := string(AppendCounts([]byte("x"), ": ", Count{2, "silent"}, Count{0, "suspect"}, Count{1, "late"})); got != "x: 2 silent, 1 late" {
		t.Error(got)
	}
	if got := string(AppendCounts([]byte("x"), ": ", Count{0, "late"})); got != "x" {
		t.Error(got)
	}
}

func TestMilliseconds(t *testing.T) {
	for d, want := range map[time.Duration]string{9800 * time.Microsecond: "9.800 ms", 0: "0.000 ms", 1234567 * time.Nanosecond: "1.235 ms", time.Hour: "3600000.000 ms"} {
		if got := Milliseconds(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestEitherOfTwoTexts(t *testing.T) {
	if got := Either(true, "a", "b") + Either(false, "a", "b"); got != "ab" {
		t.Error(got)
	}
}
