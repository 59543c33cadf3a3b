package wire

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"

	"github.com/goicmp/icmplib"
)

// Way is who answered at each distance of a route, as far as that is known. Silence is not
// knowing: it never makes a way another one.
type Way struct {
	hops    [][]netip.Addr // from distance 1 on: several where routers share the load, none where it was silent
	reached bool           // the last one is the target, which answers probes of every greater distance, too
}

// WayOf is the way that a trace found.
func WayOf(route *icmplib.Route) Way {
	w := Way{reached: route.Reached}
	for i := range route.Hops {
		var answered []netip.Addr
		for _, r := range route.Hops[i].Responders {
			answered = append(answered, r.Address)
		}
		w.hops = append(w.hops, answered)
	}
	return w
}

// ReadWay is the way of a route in JSON.
func ReadWay(text []byte) (Way, error) {
	route := &icmplib.Route{}
	err := json.Unmarshal(text, route)
	return WayOf(route), err
}

// at returns who answers at an index; none if that is not known. Where the target did not answer
// at its own distance, the trace met it at a greater one.
func (w Way) at(i int) []netip.Addr {
	switch {
	case i < len(w.hops):
		return w.hops[i]
	case w.reached && len(w.hops) > 0:
		return w.hops[len(w.hops)-1]
	}
	return nil
}

// Changed returns the distances at which another way has nobody in common with this one,
// where both are known.
func (w Way) Changed(other Way) (distances []int) {
	for i := range max(len(w.hops), len(other.hops)) {
		a, b := w.at(i), other.at(i)
		common := slices.ContainsFunc(a, func(addr netip.Addr) bool { return slices.Contains(b, addr) })
		if len(a) > 0 && len(b) > 0 && !common {
			distances = append(distances, i+1)
		}
	}
	return distances
}

// Join returns what both ways know together. The other one is not to be Changed.
func (w Way) Join(other Way) Way {
	all := Way{reached: w.reached || other.reached, hops: make([][]netip.Addr, max(len(w.hops), len(other.hops)))}
	for i := range all.hops {
		all.hops[i] = slices.Clone(w.at(i))
		for _, addr := range other.at(i) {
			if !slices.Contains(all.hops[i], addr) {
				all.hops[i] = append(all.hops[i], addr)
			}
		}
	}
	return all
}

// Known is at how many distances somebody answered.
func (w Way) Known() (n int) {
	for _, answered := range w.hops {
		n += min(1, len(answered))
	}
	return n
}

// String returns the addresses: * where nobody answered, a|b where several did.
func (w Way) String() string {
	words := make([]string, 0, len(w.hops))
	for _, answered := range w.hops {
		one := make([]string, 0, len(answered))
		for _, addr := range answered {
			one = append(one, addr.String())
		}
		if len(one) == 0 {
			one = []string{"*"}
		}
		words = append(words, strings.Join(one, "|"))
	}
	return strings.Join(words, " ")
}
