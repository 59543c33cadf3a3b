package drive

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// Addresses that share a chain are told apart, and one is in use exactly while a task has
// it. The hash may put any two into one chain, so that the seed is not left to chance.
func TestAnAddressIsInUseWhileATaskHasIt(t *testing.T) {
	var addrs []netip.Addr
	for i := range 40 {
		addrs = append(addrs, netip.AddrFrom4([4]byte{10, byte(i / 4), 0, byte(i % 4)}),
			netip.AddrFrom16([16]byte{0x20, 1, 2: byte(i), 15: byte(i % 4)}),
			netip.AddrFrom16([16]byte{0xfe, 0x80, 15: 1}).WithZone(string(rune('a'+i))))
	}
	for _, seed := range []uint64{1, 1 << 63, 0x9e3779b97f4a7c15} {
		random := rand.New(rand.NewPCG(seed, 2))
		s := slots{}
		s.index()
		s.seed = seed
		tasks := map[netip.Addr]Ref{}
		for step := range 20_000 {
			addr := addrs[random.IntN(len(addrs))]
			r, used := tasks[addr]
			if s.has(addr) != used {
				t.Fatalf("seed %#x, step %d: %v is in use: %v, want %v", seed, step, addr, !used, used)
			}
			if used {
				s.remove(r)
				delete(tasks, addr)
				continue
			}
			tasks[addr] = s.add(slot{addr: addr})
		}
		if s.len() != len(tasks) {
			t.Errorf("seed %#x: %d tasks, want %d", seed, s.len(), len(tasks))
		}
		for addr, r := range tasks {
			s.remove(r)
			if s.has(addr) {
				t.Errorf("seed %#x: %v is in use although its task has ended", seed, addr)
			}
		}
	}
}

// Tasks without an address, and slots that are not asked about any, need no chains.
func TestSlotsWithoutAddressesAreNotChained(t *testing.T) {
	s := slots{}
	s.remove(s.add(slot{addr: netip.MustParseAddr("192.0.2.1")}))
	s.index()
	s.remove(s.add(slot{}))
	if s.len() != 0 {
		t.Errorf("%d tasks are left", s.len())
	}
}

func TestNeighboursHaveChainsOfTheirOwn(t *testing.T) {
	s := slots{}
	s.index()
	seen := map[*uint32]bool{}
	for addr, n := netip.MustParseAddr("10.1.0.0"), 0; n < 1<<16; addr, n = addr.Next(), n+1 {
		seen[s.chain(addr)] = true
	}
	if len(seen) != 1<<16 {
		t.Errorf("%d chains for 65,536 neighbours", len(seen))
	}
}
