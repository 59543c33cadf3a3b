// Command shard pings its share of a network, in an order that spreads over all of
// it, and skips the networks whose owners opted out. It takes its share from the
// variables that a Kubernetes Indexed Job sets.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"log"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"

	"github.com/goicmp/icmplib"
)

func main() {
	index, err := strconv.Atoi(os.Getenv("JOB_COMPLETION_INDEX"))
	if err != nil {
		log.Fatal("JOB_COMPLETION_INDEX is to be the number of this share: ", err)
	}
	shards, err := strconv.Atoi(os.Getenv("SHARDS"))
	if err != nil || index < 0 || index >= shards {
		log.Fatal("SHARDS is to be the number of shares, which this one's is below")
	}
	var prefixes []netip.Prefix // what to ping, and behind it what to leave out
	for _, arg := range os.Args[1:] {
		prefix, err := netip.ParsePrefix(arg)
		if err != nil || !prefix.Addr().Is4() {
			log.Fatal("usage: shard IPV4-PREFIX EXCLUDED-PREFIX...: ", err)
		}
		prefixes = append(prefixes, prefix)
	}
	if len(prefixes) == 0 {
		log.Fatal("usage: shard IPV4-PREFIX EXCLUDED-PREFIX...")
	}
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer prober.Close()
	mine := share(prefixes[0], prefixes[1:], index, shards)
	opts := &icmplib.MultiPingOptions{Count: 1, Rate: 1000}
	for host, err := range prober.MultiPingSeq(context.Background(), mine, opts) {
		if err != nil {
			log.Fatal(err)
		}
		if host.IsAlive() {
			fmt.Println(host.Address, host.AvgRTT())
		}
	}
}

// share yields every address of a prefix that belongs to a share and is not
// excluded, once. The order is that of a generator which visits each number of its
// range once before it repeats (Hull and Dobell): no list is held.
func share(prefix netip.Prefix, excluded []netip.Prefix, index, shards int) iter.Seq[string] {
	return func(yield func(string) bool) {
		first := prefix.Masked().Addr().As4()
		size := uint64(1) << (32 - prefix.Bits())
		random := rand.New(rand.NewPCG(1, 2)) // the same in all shares
		factor, step := random.Uint64()&^7|5, random.Uint64()|1
		for n, at := uint64(0), random.Uint64(); n < size; n, at = n+1, at*factor+step {
			if n%uint64(shards) != uint64(index) {
				continue
			}
			var b [4]byte
			binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(first[:])+uint32(at%size))
			addr := netip.AddrFrom4(b)
			isExcluded := slices.ContainsFunc(excluded, func(p netip.Prefix) bool { return p.Contains(addr) })
			if !isExcluded && !yield(addr.String()) {
				return
			}
		}
	}
}
