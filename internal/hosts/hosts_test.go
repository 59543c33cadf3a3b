package hosts

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestTheTargetOfAnAddress(t *testing.T) {
	for given, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "fe80::1%eth0": "fe80::1%eth0",
		"0.0.0.0": "127.0.0.1", "::ffff:0.0.0.0": "127.0.0.1", "::": "::1",
	} {
		if got := Target(netip.MustParseAddr(given)); got != netip.MustParseAddr(want) {
			t.Errorf("%s: %v, want %s", given, got, want)
		}
	}
	if got := Target(netip.Addr{}); got.IsValid() {
		t.Errorf("no address: %v", got)
	}
}

func TestTargetsAreEachThereOnce(t *testing.T) {
	a, b := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.2")
	if got := Targets([]netip.Addr{b, netip.IPv4Unspecified(), a, netip.MustParseAddr("::ffff:192.0.2.2")}); !slices.Equal(got, []netip.Addr{b, a}) {
		t.Error(got)
	}
}

func TestTheAddressInUseStaysAsLongAsTheNameHasIt(t *testing.T) {
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	for _, tt := range []struct {
		found []netip.Addr
		all   bool
		inUse netip.Addr
		want  []netip.Addr
	}{
		{nil, false, a, nil},
		{nil, true, a, nil},
		{[]netip.Addr{a, b}, false, netip.Addr{}, []netip.Addr{a}},
		{[]netip.Addr{b, a}, false, a, []netip.Addr{a}},
		{[]netip.Addr{a, b}, false, b, []netip.Addr{b}},
		{[]netip.Addr{a, b}, false, b.Next(), []netip.Addr{a}},
		{[]netip.Addr{a, b, a}, true, b, []netip.Addr{a, b}},
	} {
		if got := Chosen(tt.found, tt.all, func(addr netip.Addr) bool { return addr == tt.inUse }); !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

func TestANameMovesOnlyIfItHasTheAddressNoMore(t *testing.T) {
	a, b := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.2")
	for _, tt := range []struct {
		addrs []netip.Addr
		want  netip.Addr
		moved bool
	}{
		{[]netip.Addr{b, a}, a, false},
		{[]netip.Addr{b, netip.IPv4Unspecified()}, a, false},
		{[]netip.Addr{b, b.Next()}, b, true},
	} {
		if to, moved := Moved(tt.addrs, a); to != tt.want || moved != tt.moved {
			t.Errorf("%v: %v, %t", tt.addrs, to, moved)
		}
	}
}

func TestTheOldestAliasIsForgotten(t *testing.T) {
	var a Aliases
	alias := func(i int) Alias {
		return Alias{netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), netip.AddrFrom4([4]byte{10, 1, 0, 1})}
	}
	for i := range MaxAliases + 2 {
		a.Add(alias(i))
		a.Add(alias(i))
	}
	for i, want := range map[int]bool{0: false, 1: false, 2: true, MaxAliases + 1: true} {
		if a.Has(alias(i)) != want {
			t.Errorf("number %d is remembered: %t", i, !want)
		}
	}
	if len(a.known) != MaxAliases || len(a.order) != MaxAliases {
		t.Errorf("%d and %d are kept", len(a.known), len(a.order))
	}
}

func TestAProbeWasSentToTheAddressThatWasInUse(t *testing.T) {
	at := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, n}) }
	var m Moves
	if got := m.Target(7, at(0)); got != at(0) {
		t.Errorf("without a move probe 7 went to %v", got)
	}
	for n := range byte(10) { // every 10 probes
		m.Add(at(n), 10*int(n+1))
	}
	for ordinal, want := range map[int]byte{
		99: 9, 90: 9, 89: 8, 20: 2, 100: 77, 1 << 30: 77, // 77 is in use
		19: 2, 0: 2, // of those before the last 8 moves nothing is known
	} {
		if got := m.Target(ordinal, at(77)); got != at(want) {
			t.Errorf("probe %d went to %v, want %v", ordinal, got, at(want))
		}
	}
}

func TestOwnAddressesAreLookedUpAgainWhenTheyAreOld(t *testing.T) {
	var o Own
	now := time.Now()
	loopback, other := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.77")
	all, _ := net.InterfaceAddrs()
	if !slices.ContainsFunc(all, func(a net.Addr) bool { return a.String() == "127.0.0.1/8" }) {
		t.Skip("this host has no loopback address")
	}
	if !o.Has(loopback, now) || !o.Has(netip.MustParseAddr("::ffff:127.0.0.1"), now) {
		t.Error("the loopback address is not ours")
	}
	if o.Has(other, now) {
		t.Error("the address of another host is ours")
	}
	o.known[other] = struct{}{}
	if !o.Has(other, now.Add(ownFor)) {
		t.Error("they were looked up again too early")
	}
	if o.Has(other, now.Add(ownFor+1)) {
		t.Error("they were not looked up again")
	}
}

func TestTheMTUOfTheInterfaceWithAnAddress(t *testing.T) {
	if got := LinkMTU(netip.MustParseAddr("192.0.2.77")); got != 0 {
		t.Errorf("of another host: %d", got)
	}
	var o Own
	loopback := netip.MustParseAddr("127.0.0.1")
	if o.Has(loopback, time.Now()) && LinkMTU(loopback) <= 0 {
		t.Error("the loopback interface has none")
	}
}
